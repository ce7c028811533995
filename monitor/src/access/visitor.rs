//! Whoever sends a request, before anybody knows who it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::network::Network;

/// What the server knows of the sender of a request: an extension of each request.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Where the request comes from: the other end of the connection, or what a trusted proxy says of it.
    pub(crate) address: IpAddr,
    /// Whether the connection is encrypted.
    pub(crate) is_secure: bool,
    /// Whether somebody who may come in has used this connection.
    pub(crate) is_known: Arc<AtomicBool>,
}

impl Visitor {
    pub(crate) fn network(&self) -> Network {
        self.address.into()
    }

    /// Says that this is no stranger: the connection is kept when there are too many.
    pub(super) fn vouch(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }
}
