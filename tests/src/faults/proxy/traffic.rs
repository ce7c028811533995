//! The connections through a proxy.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::network::{Answer, Fate, Network, NetworkConditions, lock};
use super::request::Protocol;

/// The time after which TCP sends a lost piece again.
const SENT_AGAIN: Duration = Duration::from_millis(300);
/// The largest piece, in bytes.
const PIECE: usize = 16 * 1024;
/// The most pieces that are under way at once.
const UNDER_WAY: usize = 4096;

/// Serves connections until dropped.
pub(super) async fn accept(listener: &TcpListener, network: &Arc<Network>) {
    while let Ok((client, _)) = listener.accept().await {
        let network = Arc::clone(network);
        tokio::spawn(async move {
            let mut breaks = network.breaks.subscribe();
            tokio::select! {
                // Both ends see how the connection ends, because their sockets are dropped.
                _ = serve(client, &network) => {}
                _ = breaks.changed() => {}
            }
        });
    }
}

async fn serve(client: TcpStream, network: &Network) -> std::io::Result<()> {
    let mut conditions = network.conditions.subscribe();
    connected(&mut conditions).await;
    let server = TcpStream::connect(network.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let number = {
        let mut answers = lock(&network.answers);
        answers.push(Answer::default());
        answers.len() - 1
    };
    let answer = |change: &dyn Fn(&mut Answer)| change(&mut lock(&network.answers)[number]);
    let (to_client, client_line) = line(to_client, |sent| answer(&|got| got.bytes += sent));
    let (to_server, server_line) = line(to_server, |_| {});
    tokio::pin!(client_line, server_line);
    // The byte at which an answer breaks off; set before its request is passed on.
    let (limit, limited) = watch::channel(usize::MAX);
    let (mute, muted) = watch::channel(false);
    let requests = async move {
        let mut from_client = BufReader::new(from_client);
        let mut conditions = network.conditions.subscribe();
        while let Some(request) = network.protocol.read(&mut from_client).await? {
            let rerouted;
            let mut passed = request.raw.as_slice();
            answer(&|got| got.subject.clone_from(&request.subject));
            match network.fate(&request).await {
                Fate::Passed => {}
                Fate::Lost => passed = &[],
                Fate::Refused(status) => return Ok(Some(refusal(status))),
                Fate::Redirected(port) => return Ok(Some(redirect(port))),
                Fate::Ignored => std::future::pending().await,
                Fate::Rerouted(subject) => {
                    rerouted = request.rerouted(subject);
                    passed = &rerouted;
                }
                Fate::CutShort(bytes) => {
                    limit.send_replace(bytes);
                }
                Fate::Unanswered => {
                    mute.send_replace(true);
                }
            }
            for piece in passed.chunks(PIECE) {
                pass(piece, &to_server, &mut conditions).await?;
            }
        }
        if network.protocol == Protocol::Http {
            // The client waits for the answer, and sends no more.
            std::future::pending::<()>().await;
        }
        std::io::Result::Ok(None)
    };
    let answers = async move {
        let mut buffer = vec![0; PIECE];
        let mut conditions = network.conditions.subscribe();
        let mut passed = 0;
        loop {
            let length = from_server.read(&mut buffer).await?;
            if *muted.borrow() {
                if length == 0 {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let room = (*limited.borrow()).saturating_sub(passed);
            let piece = &buffer[..length.min(room)];
            pass(piece, &to_client, &mut conditions).await?;
            passed += piece.len();
            if length == 0 || length > room {
                return std::io::Result::Ok(());
            }
        }
    };
    let refused = tokio::select! {
        asked = requests => asked?,
        answered = answers => {
            answered?;
            None
        }
        // One end is gone: this closes the other end.
        ended = &mut server_line => return ended.map(drop),
        _ = &mut client_line => return server_line.await.map(drop),
    };
    // Data under way still arrives.
    server_line.await?;
    let mut to_client = client_line.await?;
    if let Some(refusal) = refused {
        to_client.write_all(refusal.as_bytes()).await?;
    }
    to_client.shutdown().await
}

/// A line on which many pieces may be under way at once, each with its time of arrival. `arrived` is told how many bytes
/// each had. When no more is sent, the line ends and gives its writer back.
fn line<W: AsyncWrite + Unpin>(
    mut to: W,
    arrived: impl Fn(u64),
) -> (
    mpsc::Sender<(Instant, Vec<u8>)>,
    impl Future<Output = std::io::Result<W>>,
) {
    let (send, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let carried = async move {
        while let Some((arrives, piece)) = under_way.recv().await {
            tokio::time::sleep_until(arrives).await;
            to.write_all(&piece).await?;
            arrived(piece.len() as u64);
        }
        Ok(to)
    };
    (send, carried)
}

/// Waits while the network is cut.
async fn connected(conditions: &mut watch::Receiver<NetworkConditions>) -> NetworkConditions {
    // An error means that the proxy is gone, and this connection with it.
    let _ = conditions.wait_for(|conditions| !conditions.cut).await;
    *conditions.borrow()
}

/// Passes a piece on under the current conditions.
async fn pass(
    piece: &[u8],
    to: &mpsc::Sender<(Instant, Vec<u8>)>,
    conditions: &mut watch::Receiver<NetworkConditions>,
) -> std::io::Result<()> {
    let now = connected(conditions).await;
    let mut wait = now.delay;
    if now.rate > 0 {
        wait += Duration::from_secs(1) * u32::try_from(piece.len()).unwrap_or(0) / now.rate;
    }
    if chance(now.lost, 100) {
        wait += SENT_AGAIN;
    }
    if chance(now.broken, 1000) {
        return Err(std::io::ErrorKind::ConnectionReset.into());
    }
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
        connected(conditions).await;
    }
    let arrives = Instant::now() + now.latency;
    to.send((arrives, piece.to_vec()))
        .await
        .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
}

/// True in `share` of `all` cases, at random.
fn chance(share: u32, all: u32) -> bool {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    share > 0 && random % u64::from(all) < u64::from(share)
}

fn refusal(status: u16) -> String {
    format!("HTTP/1.1 {status} on purpose\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn redirect(port: u16) -> String {
    format!(
        "HTTP/1.1 307 on purpose\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}
