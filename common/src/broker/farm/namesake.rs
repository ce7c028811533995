//! One live worker a name.
//!
//! A worker takes its name by its first heartbeat, which is written only where
//! nobody else's came in between; it answers to the name before that. So of two
//! that start at once, in whatever containers, one finds the other.

use async_nats::client::RequestErrorKind;
use std::time::Duration;

use crate::broker::queue::claim::owner::is_anyone_there;
use crate::broker::{Broker, BrokerError};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::names::subject::WORKERS;

/// A live worker answers well within this time.
const SILENCE: Duration = Duration::from_secs(2);

/// Who answers to a worker's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namesake {
    /// Nobody is there.
    Nobody,
    /// Somebody is connected, and says nothing.
    Silent,
    /// A worker that lives.
    Alive,
}

impl Broker {
    /// Asks whether a worker of this name lives.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn namesake(&self, worker: &WorkerName) -> Result<Namesake, BrokerError> {
        let answer = self.ask_worker(worker, is_anyone_there(), SILENCE).await;
        match answer {
            Ok(_) => Ok(Namesake::Alive),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders => Ok(Namesake::Nobody),
                RequestErrorKind::TimedOut => Ok(Namesake::Silent),
                _ => Err(BrokerError::request("asking for a worker of this name")(
                    error,
                )),
            },
        }
    }

    /// The revision of what was last heard of a worker; 0 where that is nothing.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn last_heard(&self, worker: &WorkerName) -> Result<u64, BrokerError> {
        let what = "looking for a worker of this name";
        self.nats.revision(WORKERS, worker.as_str(), what).await
    }

    /// Says for the first time that a worker lives. `false` where something was
    /// heard under its name since.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn take_name(
        &self,
        heartbeat: &Heartbeat,
        last_heard: u64,
    ) -> Result<bool, BrokerError> {
        match self.write_heartbeat(heartbeat, Some(last_heard)).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
