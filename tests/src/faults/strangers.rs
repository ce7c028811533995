//! Strangers at the door of a monitor: they guess passwords, send half of a request, and do not read what they asked for.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// The pause of a stranger who was thrown out.
const AGAIN: Duration = Duration::from_millis(50);
/// The pause of a stranger between two guesses.
const BETWEEN_GUESSES: Duration = Duration::from_millis(200);

/// So many strangers come at once, each from an address of their own in 127.9.0.0/16, and come back whenever they are
/// thrown out. They leave when the set is dropped.
pub fn come(count: u32, to: SocketAddr) -> JoinSet<()> {
    let mut strangers = JoinSet::new();
    for stranger in 0..count {
        strangers.spawn(async move {
            loop {
                let _ = match stranger % 3 {
                    0 => guess(stranger, to).await,
                    1 => send_half(stranger, to).await,
                    _ => read_nothing(stranger, to).await,
                };
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
    strangers
}

/// Connects from an address of the stranger's own: all of 127.0.0.0/8 is this machine.
async fn connect(stranger: u32, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let [_, _, high, low] = stranger.to_be_bytes();
    socket.bind((Ipv4Addr::new(127, 9, high, low), 0).into())?;
    socket.connect(to).await
}

/// Guesses for ever, a few times a second: together far more often than passwords are checked.
async fn guess(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    for number in 0.. {
        let mut stream = connect(stranger, to).await?;
        let body = format!("{{\"name\":\"anna\",\"password\":\"guess {number}\"}}");
        let length = body.len();
        let request = match number % 2 {
            0 => format!(
                "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
            _ => format!(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Authorization: Bearer guess {number}\r\n\r\n"
            ),
        };
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        tokio::time::sleep(BETWEEN_GUESSES).await;
    }
    Ok(())
}

/// Sends half of a request with a large head, and holds it.
async fn send_half(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    let mut stream = connect(stranger, to).await?;
    let padding = "x".repeat(8000);
    let half = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Padding: {padding}");
    stream.write_all(half.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(())
}

/// Asks for a large file many times, and reads nothing.
async fn read_nothing(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    let mut stream = connect(stranger, to).await?;
    let request = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    stream.write_all(request.as_bytes()).await?;
    std::future::pending().await
}
