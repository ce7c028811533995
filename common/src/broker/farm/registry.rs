//! Heartbeats: which workers are alive.

use std::time::Duration;

use async_nats::header::NATS_MESSAGE_TTL;

use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError, RequestFailure};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::names::subject;
use crate::names::subject::WORKERS;
use crate::wire;

/// Time from one heartbeat of a worker to the next.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Heartbeats that may be missed before a worker counts as gone.
const MISSED: u32 = 3;

impl Broker {
    /// Writes a worker's heartbeat; the broker removes it after 15 s without another.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), BrokerError> {
        match self.write_heartbeat(heartbeat, None).await {
            // The bucket is in memory: a restarted broker has lost it.
            Err(error) if error.failure() == Some(RequestFailure::NoLeader) => {
                self.make_missing_streams().await?;
                self.write_heartbeat(heartbeat, None).await
            }
            written => written,
        }
    }

    /// Writes a heartbeat; with `last_heard` only if that is the revision of the name's last heartbeat.
    pub(crate) async fn write_heartbeat(
        &self,
        heartbeat: &Heartbeat,
        last_heard: Option<u64>,
    ) -> Result<(), BrokerError> {
        // A plain publish, because the key-value API sets a time to live on create and purge only.
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

    /// Removes the heartbeat of a worker that has stopped.
    pub async fn sign_off(&self, worker: &WorkerName) -> Result<(), BrokerError> {
        let key = worker.as_str();
        self.nats
            .remove_key(WORKERS, key, None, "signing off")
            .await
    }

    /// The heartbeat of a worker; `None` if the worker is not alive.
    ///
    /// # Errors
    /// If the broker gives no answer, or the heartbeat cannot be read.
    pub(crate) async fn last_heartbeat(
        &self,
        worker: &WorkerName,
    ) -> Result<Option<Heartbeat>, BrokerError> {
        let subject = subject::kv(WORKERS, worker.as_str());
        let last = self.nats.last(&subject::bucket(WORKERS), &subject).await?;
        let last = last.filter(|stored| !stored.is_marker);
        last.map(|stored| self.nats.try_read(&subject, &stored.payload))
            .transpose()
            .map_err(|source| BrokerError::Wire {
                what: subject,
                source,
            })
    }

    /// Heartbeats of the live workers, by name.
    pub async fn workers(&self) -> Result<Vec<Heartbeat>, BrokerError> {
        let heartbeats = match self.nats.values(WORKERS, "").await {
            // A restarted broker has no bucket until a worker makes it again.
            Err(_) if self.nats.lacks(&subject::bucket(WORKERS)).await => Vec::new(),
            heartbeats => heartbeats?,
        };
        let mut workers: Vec<Heartbeat> = heartbeats.into_iter().map(|kept| kept.value).collect();
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }
}
