//! The broker operations that the programs share: one file per concern.
//!
//! [`connect`](Broker::connect) makes what is missing on the broker, `enqueue`
//! puts jobs in, `hand_in` does so as one batch, `names` names their outputs, `claim` takes one, `lease` keeps it, `owner` says who has it, `steer` changes a
//! person's mind about it, `control` carries standing orders, `quarantine` a person's word that a worker is well, `settings` are
//! what a farm keeps of presets and history, `registry` says who is alive,
//! `why` what a job waits for, and `inspect` reads without disturbing anyone.

mod farm;
mod nats;
mod queue;
mod read;
mod steer;
mod submit;

pub use farm::namesake::Namesake;
pub use farm::preview::PreviewError;
pub use farm::quarantine::Unheard;
pub use farm::registry::HEARTBEAT;
pub use farm::settings::{Over, SettingsError};
pub use nats::clock::Clock;
pub use nats::connect::ConnectOptions;
pub use queue::claim::{Claim, Lost};
pub use queue::enqueue::{EnqueueResult, Enqueued};
pub use queue::lanes::Lanes;
pub use queue::lease::{Ended, Lease};
pub use queue::poll::{Claimant, Decline, Haste, PollResult};
pub use read::inspect::{Change, Changes, LaneStatus};
pub use read::position::QueuePositions;
pub use read::unreadable::Unreadable;
pub use steer::change::SteerResult;
pub use submit::hand_in::HandIn;
pub use submit::names::{NamesError, Outputs};
pub use submit::outputs::{Holder, Maker, Makers};

use std::time::Duration;

use async_nats::connection::State as Connection;
use async_nats::jetstream;
use tokio::sync::watch;

/// A connection to the broker of a farm.
#[derive(Clone)]
pub struct Broker {
    client: async_nats::Client,
    connections: watch::Receiver<()>,
    link: nats::connect::Link,
    clock: Clock,
    owned: queue::owner::Owned,
    unread: read::unreadable::Unread,
    jetstream: jetstream::Context,
    ack_wait: Duration,
    replicas: usize,
    retry_after: Duration,
}

/// An operation on the broker failed.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The server cannot be reached, or refuses us.
    #[error(
        "cannot reach the NATS server at {url}: {message}; is it running, and is NATS_URL or --nats right?"
    )]
    Unreachable {
        /// Where it was looked for, without credentials.
        url: String,
        /// What the network or the server said.
        message: String,
    },
    /// The server is too old.
    #[error(
        "the NATS server at {url} is version {found}; the farm needs {needed} or later: update nats-server"
    )]
    TooOld {
        /// Which server.
        url: String,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The server stores nothing.
    #[error(
        "the NATS server at {url} runs without JetStream: start it with -js or a jetstream {{}} block"
    )]
    NoJetStream {
        /// Which server.
        url: String,
    },
    /// A request failed.
    #[error("{what}: {message}")]
    Request {
        /// What was to be done.
        what: String,
        /// What the server or the network said.
        message: String,
    },
    /// The run of a job is no run.
    #[error(
        "the run of job {job} is broken ({source}): `producer retry {job}` starts the job anew, where the farm still has it"
    )]
    BrokenRun {
        /// Which job.
        job: crate::job::id::JobId,
        /// Revision of what stands there.
        revision: u64,
        /// What is wrong with it.
        source: crate::wire::WireError,
    },
    /// A message of another version or origin.
    #[error("{what}: {source}")]
    Wire {
        /// Where it was found.
        what: String,
        /// What is wrong with it.
        source: crate::wire::WireError,
    },
}

impl BrokerError {
    /// For `map_err`: what was to be done when the broker failed.
    fn request<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Request {
            what,
            message: error.to_string(),
        }
    }
}

impl Broker {
    /// The connection, for what is published or subscribed to without JetStream.
    pub fn client(&self) -> &async_nats::Client {
        &self.client
    }

    /// Changes each time the client has connected: what was said while it was
    /// not connected, it has not heard.
    pub fn connections(&self) -> watch::Receiver<()> {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        connections
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == Connection::Connected
    }

    /// Returns while the client is connected: what is asked of a broker that is
    /// away piles up, to be asked all at once when it is back.
    async fn connected(&self) {
        let mut connections = self.connections();
        while !self.is_connected() {
            // The sender lives as long as the client does.
            let again = connections.changed();
            let _ = tokio::time::timeout(nats::connect::RECONNECT, again).await;
        }
    }

    /// The JetStream context.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }
}
