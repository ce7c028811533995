//! The network behind a proxy: its conditions, and what becomes of each request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::request::{Protocol, Request};

/// What happens to everything that passes from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetworkConditions {
    /// Nothing passes, and nobody is told: the cable is out. What was on its
    /// way arrives when it is back, as TCP would send it again.
    pub cut: bool,
    /// Each piece takes so much longer, and holds up those behind it.
    pub delay: Duration,
    /// Each piece arrives so much later, as over a long way: many may be under
    /// way at once.
    pub latency: Duration,
    /// Bytes a second that one connection carries; as many as it can where 0.
    pub rate: u32,
    /// How many of a hundred pieces get lost. TCP sends them again a while
    /// later, so to the programs they are late, with all that follows them.
    pub lost: u32,
    /// How many of a thousand pieces break their connection.
    pub broken: u32,
}

impl NetworkConditions {
    /// All passes at once.
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

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on.
    Passed,
    /// It disappears, and what follows it on its connection is passed on.
    Lost,
    /// It is answered by an HTTP status, and the server hears nothing of it.
    Refused(u16),
    /// It is never answered, and the server hears nothing of it.
    Ignored,
    /// A message goes to this subject instead, where somebody else may answer.
    Rerouted(&'static str),
    /// The server does as it is asked, but its answer breaks off after so many
    /// bytes: with few of them, that is a client that never learns what its
    /// request has done.
    CutShort(usize),
    /// The server does as it is asked, but its answer, and all that follows on
    /// the connection, never comes.
    Unanswered,
}

pub(super) type Judge = Arc<dyn Fn(&Request) -> Fate + Send + Sync>;

/// What all connections share.
pub(super) struct Network {
    pub(super) server: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) conditions: watch::Sender<NetworkConditions>,
    /// Counts how often all connections were broken on purpose.
    pub(super) breaks: watch::Sender<u64>,
    pub(super) judge: Mutex<Judge>,
    pub(super) traps: Mutex<Vec<Trap>>,
}

/// What a [`Held`] waits for.
pub(super) struct Trap {
    pub(super) wanted: Box<dyn Fn(&Request) -> bool + Send>,
    pub(super) caught: watch::Sender<bool>,
    pub(super) verdict: watch::Receiver<Option<Fate>>,
}

impl Network {
    /// The trap that this request walks into.
    fn trap(&self, request: &Request) -> Option<Trap> {
        let mut traps = lock(&self.traps);
        let index = traps.iter().position(|trap| (trap.wanted)(request))?;
        Some(traps.swap_remove(index))
    }

    /// What is to become of a request; takes as long as a test holds it.
    pub(super) async fn fate(&self, request: &Request) -> Fate {
        if let Some(mut trap) = self.trap(request) {
            trap.caught.send_replace(true);
            // A test that is over lets go of what it held.
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
