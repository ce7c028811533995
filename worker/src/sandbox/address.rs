//! The addresses that a tool may connect to.

use std::fmt;
use std::net::TcpListener;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

/// A server of inputs.
pub trait Serving: Send + Sync {
    /// Also serves what connects to this socket, until the token is cancelled. The socket lies in the network of one
    /// tool, which can reach no other.
    fn listen(&self, socket: TcpListener, until: CancellationToken);
}

/// An address at which this worker serves an input, for as long as this value or a copy of it lives.
#[derive(Clone)]
pub struct Address {
    url: Arc<str>,
    port: u16,
    /// The server. It ends the serving of this address when this is dropped.
    server: Arc<dyn Serving>,
}

impl Address {
    pub fn new(url: impl Into<Arc<str>>, port: u16, server: impl Serving + 'static) -> Self {
        Self {
            url: url.into(),
            port,
            server: Arc::new(server),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Also serves what connects to this socket, until the token is cancelled.
    pub fn listen(&self, socket: TcpListener, until: CancellationToken) {
        self.server.listen(socket, until);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for Address {}

/// Nobody serves this address: it is a name only.
impl Serving for () {
    fn listen(&self, _: TcpListener, _: CancellationToken) {}
}
