//! The network behind a proxy: its conditions, and the fate of each request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::request::{Protocol, Request};

/// How everything passes from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetworkConditions {
    /// Nothing passes, and no program is notified, as with an unplugged cable. Data under way arrives when the network
    /// is back, as TCP sends it again.
    pub cut: bool,
    /// Each piece takes so much longer, and delays the pieces behind it.
    pub delay: Duration,
    /// Each piece arrives so much later, as over a long distance. Many pieces may be under way at once.
    pub latency: Duration,
    /// Bytes a second that one connection carries; 0 for no limit.
    pub rate: u32,
    /// How many of a hundred pieces are lost. TCP sends them again later, so the programs see them late, and all that
    /// follows them.
    pub lost: u32,
    /// How many of a thousand pieces break their connection.
    pub broken: u32,
}

impl NetworkConditions {
    /// Everything passes at once.
    pub const GOOD: Self = Self {
        cut: false,
        delay: Duration::ZERO,
        latency: Duration::ZERO,
        rate: 0,
        lost: 0,
        broken: 0,
    };
    /// Nothing passes.
    pub const CUT: Self = Self {
        cut: true,
        ..Self::GOOD
    };
}

/// The fate of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The network passes the request on.
    Passed,
    /// The request disappears. What follows it on its connection passes.
    Lost,
    /// The proxy answers with an HTTP status. The server does not get the request.
    Refused(u16),
    /// The proxy sends the client to this port of this machine. The server does not get the request.
    Redirected(u16),
    /// The request is never answered. The server does not get it.
    Ignored,
    /// The message goes to this subject instead, and another program may answer.
    Rerouted(&'static str),
    /// The server handles the request, but its answer breaks off after so many bytes. With few bytes, the client never
    /// learns the result.
    CutShort(usize),
    /// The server handles the request, but its answer, and all that follows on the connection, never arrives.
    Unanswered,
}

pub(super) type Judge = Arc<dyn Fn(&Request) -> Fate + Send + Sync>;

/// The state that all connections share.
pub(super) struct Network {
    pub(super) server: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) conditions: watch::Sender<NetworkConditions>,
    /// Counts how often the test broke all connections.
    pub(super) breaks: watch::Sender<u64>,
    pub(super) judge: Mutex<Judge>,
    pub(super) traps: Mutex<Vec<Trap>>,
    /// The answers so far, one for each connection.
    pub(super) answers: Mutex<Vec<Answer>>,
}

/// What a client got on one connection.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The last request on the connection: see [`Request::subject`].
    pub subject: String,
    /// The bytes that its socket took, with heads. A client that breaks off may not have read the last of them.
    pub bytes: u64,
}

/// The request that a [`Held`] waits for.
pub(super) struct Trap {
    pub(super) wanted: Box<dyn Fn(&Request) -> bool + Send>,
    pub(super) caught: watch::Sender<bool>,
    pub(super) verdict: watch::Receiver<Option<Fate>>,
}

impl Network {
    /// The trap that wants this request.
    fn trap(&self, request: &Request) -> Option<Trap> {
        let mut traps = lock(&self.traps);
        let index = traps.iter().position(|trap| (trap.wanted)(request))?;
        Some(traps.swap_remove(index))
    }

    /// The fate of a request; takes as long as a test holds the request.
    pub(super) async fn fate(&self, request: &Request) -> Fate {
        if let Some(mut trap) = self.trap(request) {
            trap.caught.send_replace(true);
            // At the end of a test, its held requests pass.
            return match trap.verdict.wait_for(Option::is_some).await {
                Ok(verdict) => verdict.unwrap_or(Fate::Lost),
                Err(_) => Fate::Lost,
            };
        }
        let judge = Arc::clone(&lock(&self.judge));
        judge(request)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
