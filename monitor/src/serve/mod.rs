//! Serves HTTP/1.1, encrypted or not, within bounds: on connections ([`connections`]), on the time that a client may take
//! to send and to read, and on what it may send before anybody knows who it is.

mod answered;
mod connections;
pub(crate) mod tls;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::access::visitor::Visitor;
use answered::Answered;
use connections::{Connections, Place};
use tls::Tls;

/// How long the head of a request may take, from the end of the request before it: a client that sends nothing for this
/// long is gone.
const HEAD: Duration = Duration::from_secs(10);
/// The same for a proxy of ours. It is longer than proxies keep connections that they do not use, so that none is closed
/// while a request is on its way.
const HEAD_OF_PROXY: Duration = Duration::from_secs(75);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take in nothing of what is sent to it.
const STALLED: Duration = Duration::from_secs(30);
/// Bytes of the longest head of a request.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long open requests may take to end after the monitor was told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The most connections: each takes some 20 kB.
const MOST: usize = 512;

/// Everything that is served, and how.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) routes: Router,
    /// `None` if connections are not encrypted.
    pub(crate) tls: Option<Tls>,
    /// Proxies that are believed about whose requests they pass on.
    pub(crate) proxies: Arc<[IpAddr]>,
}

impl Server {
    /// Serves until `shutdown` is cancelled.
    pub(crate) async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let connections = Connections::new(most_connections());
        let tasks = TaskTracker::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        pause_after(&error).await;
                        continue;
                    }
                },
                () = shutdown.cancelled() => break,
            };
            let is_proxy = self.is_proxy(peer);
            let Some(place) = connections.admit(peer.ip().into(), is_proxy) else {
                tracing::debug!(%peer, "refused: all connections are in use");
                continue;
            };
            let (server, shutdown) = (self.clone(), shutdown.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = server.connected(stream, peer, &place, &shutdown) => {}
                    () = place.closed() => tracing::debug!(%peer, "closed to make room for another"),
                }
            });
        }
        drop(listener);
        tasks.close();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            tracing::debug!("some connections did not end in time");
        }
    }

    async fn connected(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: &Place,
        shutdown: &CancellationToken,
    ) {
        // Events are small, and are wanted at once.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.talk(stream, peer, place, shutdown).await;
        };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.talk(stream, peer, place, shutdown).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no encrypted connection"),
            Err(_) => tracing::debug!(%peer, "the handshake takes too long"),
        }
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        peer: SocketAddr,
        place: &Place,
        shutdown: &CancellationToken,
    ) {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(STALLED));
        let service = service_fn(|request| self.answer(request, peer, place));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(if self.is_proxy(peer) {
                HEAD_OF_PROXY
            } else {
                HEAD
            })
            .max_buf_size(LONGEST_HEAD)
            .serve_connection(TokioIo::new(Box::pin(stream)), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        place: &Place,
    ) -> Result<axum::http::Response<Answered>, Infallible> {
        let turn = place.connection.turn();
        let visitor = Visitor {
            address: self.sender(peer.ip(), request.headers()),
            is_secure: self.tls.is_some(),
            is_known: place.connection.is_known.clone(),
        };
        request.extensions_mut().insert(visitor);
        let response = self.routes.clone().call(request).await?;
        Ok(response.map(|body| Answered::new(body, turn)))
    }

    fn is_proxy(&self, peer: SocketAddr) -> bool {
        self.proxies.contains(&peer.ip().to_canonical())
    }

    /// Who sends a request: the other end of the connection; or if that is a proxy of ours, whoever it names. Each
    /// proxy adds its client at the end of the list, so the last that is no proxy of ours is known for sure.
    fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut sender = peer.to_canonical();
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        let mut named = lists
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.rsplit(','))
            .map_while(|name| name.trim().parse::<IpAddr>().ok());
        while self.proxies.contains(&sender)
            && let Some(before) = named.next()
        {
            sender = before.to_canonical();
        }
        sender
    }
}

/// The most connections: half of the files that the process may have open, if that is less than [`MOST`].
fn most_connections() -> usize {
    #[cfg(unix)]
    if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        return usize::try_from(files / 2).map_or(MOST, |half| half.min(MOST));
    }
    MOST
}

/// A client that left before it was accepted costs nothing. Otherwise the process has no more files: some are closed
/// soon.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        tracing::error!("cannot accept connections: {error}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let server = Server {
            routes: Router::new(),
            tls: None,
            proxies: [address("10.0.0.1"), address("10.0.0.2")].into(),
        };
        let sender = |peer: &str, lists: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for list in lists {
                headers.append("x-forwarded-for", HeaderValue::from_static(list));
            }
            server.sender(address(peer), &headers).to_string()
        };
        assert_eq!(sender("192.0.2.9", &["1.2.3.4"]), "192.0.2.9");
        assert_eq!(sender("10.0.0.1", &["6.6.6.6, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(
            sender("10.0.0.1", &["6.6.6.6", "1.2.3.4,10.0.0.2"]),
            "1.2.3.4"
        );
        assert_eq!(sender("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(sender("10.0.0.1", &["rubbish"]), "10.0.0.1");
        assert_eq!(sender("10.0.0.1", &[]), "10.0.0.1");
    }
}
