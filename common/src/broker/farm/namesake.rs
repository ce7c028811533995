//! At most one live worker for each name.
//!
//! A worker takes its name with its first heartbeat, which is stored only if no other heartbeat of that name came in
//! between. Before that it already answers requests to the name. So if two workers start with one name at the same
//! time, in any containers, one finds the other.

use async_nats::client::RequestErrorKind;
use std::time::Duration;

use crate::broker::queue::claim::owner::liveness_question;
use crate::broker::{Broker, BrokerError};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::names::subject::WORKERS;

/// A live worker answers well within this time.
const SILENCE: Duration = Duration::from_secs(2);

/// Whether a worker of a given name is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namesake {
    /// No client listens on the name's subject.
    NotConnected,
    /// A client is connected but does not answer.
    Silent,
    /// A worker answered.
    Alive,
}

impl Broker {
    /// Asks whether a worker of this name is alive.
    pub async fn namesake(&self, worker: &WorkerName) -> Result<Namesake, BrokerError> {
        let answer = self.ask_worker(worker, liveness_question(), SILENCE).await;
        match answer {
            Ok(_) => Ok(Namesake::Alive),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders => Ok(Namesake::NotConnected),
                RequestErrorKind::TimedOut => Ok(Namesake::Silent),
                _ => Err(BrokerError::request("asking for a worker of this name")(
                    error,
                )),
            },
        }
    }

    /// The revision of the last heartbeat of a name; 0 if there is none.
    pub async fn last_heard(&self, worker: &WorkerName) -> Result<u64, BrokerError> {
        let what = "looking for a worker of this name";
        self.nats.revision(WORKERS, worker.as_str(), what).await
    }

    /// Writes the first heartbeat of a worker; `last_heard` is the revision from [`Self::last_heard`]. `false` if
    /// another heartbeat of that name was written since.
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
