//! Who is alive.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MESSAGE_TTL};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};

use crate::broker::{Broker, BrokerError};
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
        let told = self.tell(heartbeat, None).await;
        match told {
            // The bucket lives in memory: a broker that was restarted has none.
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.ensure_topology().await?;
                self.tell(heartbeat, None).await
            }
            told => told,
        }
        .map_err(BrokerError::request("publishing the heartbeat"))
    }

    /// Writes a heartbeat; only as the one after `last_heard`, where that is given.
    pub(crate) async fn tell(
        &self,
        heartbeat: &Heartbeat,
        last_heard: Option<u64>,
    ) -> Result<(), PublishError> {
        let mut headers = HeaderMap::new();
        if let Some(last_heard) = last_heard {
            headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, last_heard.to_string());
        }
        headers.insert(
            NATS_MESSAGE_TTL,
            format!("{}s", (HEARTBEAT * MISSED).as_secs()),
        );
        // The key-value API knows a time to live on create and purge only.
        let subject = subject::kv(WORKERS, heartbeat.name.as_str());
        self.jetstream
            .publish_with_headers(subject, headers, wire::encode(heartbeat))
            .await?
            .await
            .map(drop)
    }

    /// Says that a worker has stopped in good order.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn sign_off(&self, worker: &WorkerName) -> Result<(), BrokerError> {
        let what = "signing off";
        let bucket = self
            .jetstream
            .get_key_value(WORKERS)
            .await
            .map_err(BrokerError::request(what))?;
        bucket
            .purge(worker.as_str())
            .await
            .map_err(BrokerError::request(what))
    }

    /// The workers that live, by name.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn workers(&self) -> Result<Vec<Heartbeat>, BrokerError> {
        let heartbeats = self.values(WORKERS, "").await?;
        let mut workers: Vec<Heartbeat> = heartbeats.into_iter().map(|kept| kept.value).collect();
        workers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workers)
    }
}
