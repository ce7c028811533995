//! Who is alive.

use std::time::Duration;

use async_nats::header::NATS_MESSAGE_TTL;

use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError, RequestFailure};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::names::subject;
use crate::names::subject::WORKERS;
use crate::wire;

/// How often a worker says that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Heartbeats that may be missed before a worker counts as gone.
const MISSED: u32 = 3;

impl Broker {
    /// Says that a worker lives; forgotten by itself when not said again.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), BrokerError> {
        match self.write_heartbeat(heartbeat, None).await {
            // The bucket lives in memory: a broker that was restarted has none.
            Err(error) if error.failure() == Some(RequestFailure::NoLeader) => {
                self.make_missing_streams().await?;
                self.write_heartbeat(heartbeat, None).await
            }
            told => told,
        }
    }

    /// Writes a heartbeat; only as the one after `last_heard`, where that is given.
    pub(crate) async fn write_heartbeat(
        &self,
        heartbeat: &Heartbeat,
        last_heard: Option<u64>,
    ) -> Result<(), BrokerError> {
        // The key-value API knows a time to live on create and purge only.
        let subject = subject::kv(WORKERS, heartbeat.name.as_str());
        let lifetime = format!("{}s", (HEARTBEAT * MISSED).as_secs());
        let message =
            Message::new(subject, wire::encode(heartbeat)).with(NATS_MESSAGE_TTL, lifetime);
        let message = match last_heard {
            Some(last_heard) => message.after(last_heard),
            None => message,
        };
        let what = "publishing the heartbeat";
        self.nats.store(what, message).await.map(drop)
    }

    /// Says that a worker has stopped in good order.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn sign_off(&self, worker: &WorkerName) -> Result<(), BrokerError> {
        let key = worker.as_str();
        self.nats
            .remove_key(WORKERS, key, None, "signing off")
            .await
    }

    /// The workers that live, by name.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn workers(&self) -> Result<Vec<Heartbeat>, BrokerError> {
        let heartbeats = match self.nats.values(WORKERS, "").await {
            // A broker that lost its memory has no bucket until a worker makes it anew.
            Err(_) if self.nats.lacks(&subject::bucket(WORKERS)).await => Vec::new(),
            heartbeats => heartbeats?,
        };
        let mut workers: Vec<Heartbeat> = heartbeats.into_iter().map(|kept| kept.value).collect();
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }
}
