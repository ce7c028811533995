//! Batches on the broker, and the jobs of those that are paused.

use async_nats::HeaderMap;
use async_nats::jetstream::AckKind;
use jiff::SignedDuration;

use crate::broker::nats::atomic::Message;
use crate::broker::nats::direct::Stored;
use crate::broker::steer::change::RETRY_OF;
use crate::broker::{Broker, BrokerError};
use crate::farm::orders::Target;
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::batch::Batch;
use crate::job::id::BatchId;
use crate::names::subject;
use crate::names::subject::{BATCHES, JOBS, PARKED};
use crate::wire;

/// Header of a job that was put aside: the name of the lane that it belongs to.
const LANE: &str = "Farm-Lane";

/// A job that a worker would put aside although its batch is paused no more is
/// offered again after that long.
const RESUMED: SignedDuration = SignedDuration::from_secs(1);

impl Broker {
    /// Keeps what is to be known of a batch.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn keep_batch(&self, batch: &Batch) -> Result<(), BrokerError> {
        let what = || format!("keeping the batch {}", batch.id);
        self.jetstream
            .publish(
                subject::kv(BATCHES, &batch.id.to_string()),
                wire::encode(batch),
            )
            .await
            .map_err(BrokerError::request(what()))?
            .await
            .map(drop)
            .map_err(BrokerError::request(what()))
    }

    /// Forgets a batch with which nothing was enqueued after all.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn forget_batch(&self, batch: &BatchId) -> Result<(), BrokerError> {
        let subject = subject::kv(BATCHES, &batch.to_string());
        self.purge_stream(&format!("KV_{BATCHES}"), &subject, None)
            .await
    }

    /// Every batch, the oldest first.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn batches(&self) -> Result<Vec<Batch>, BrokerError> {
        let stored = self
            .all(&format!("KV_{BATCHES}"), &subject::kv(BATCHES, ">"))
            .await?;
        Ok(stored
            .iter()
            .filter(|stored| !stored.is_marker)
            .filter_map(|stored| self.read(stored))
            .collect())
    }

    /// Puts a job of a paused batch aside, out of the way of others.
    pub(crate) async fn park(
        &self,
        job: &Job,
        lane: &Lane,
        message: &async_nats::jetstream::Message,
    ) -> Result<(), BrokerError> {
        let what = || format!("putting job {} aside", job.id);
        let mut headers = HeaderMap::new();
        headers.insert(LANE, lane.consumer());
        keep_retry(message.headers.as_ref(), &mut headers);
        self.jetstream
            .publish_with_headers(subject::parked(&job.id), headers, wire::encode(job))
            .await
            .map_err(BrokerError::request(what()))?
            .await
            .map_err(BrokerError::request(what()))?;
        // Where it was resumed meanwhile, whoever brings its jobs back may have
        // looked before this one was there.
        if !self.is_paused(&Target::Batch(job.batch)).await? {
            self.remove(&subject::parked(&job.id), None).await?;
            return self.leave(message, RESUMED).await;
        }
        // Lost, this brings the message back once more, to be put aside again.
        message
            .ack_with(AckKind::Ack)
            .await
            .map_err(BrokerError::request(what()))
    }

    /// The jobs that were put aside, each with the lane that it belongs to.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn parked_jobs(&self) -> Result<Vec<(Job, Lane)>, BrokerError> {
        let stored = self.all(JOBS, PARKED).await?;
        Ok(stored
            .iter()
            .filter_map(|stored| self.parked(stored))
            .collect())
    }

    /// A job that was put aside, and where it belongs.
    pub(crate) async fn parked_job(
        &self,
        job: &crate::job::id::JobId,
    ) -> Result<Option<(Job, Lane)>, BrokerError> {
        let stored = self.last(JOBS, &subject::parked(job)).await?;
        Ok(stored.as_ref().and_then(|stored| self.parked(stored)))
    }

    /// Brings the jobs of a batch back to their lanes. Broken off and run again,
    /// it goes on.
    pub(crate) async fn unpark(&self, batch: &BatchId) -> Result<(), BrokerError> {
        for stored in self.all(JOBS, PARKED).await? {
            let Some((job, lane)) = self.parked(&stored) else {
                continue;
            };
            if job.batch == *batch {
                let mut headers = HeaderMap::new();
                keep_retry(Some(&stored.headers), &mut headers);
                self.publish(Message {
                    subject: subject::job(&lane, &job.id),
                    headers,
                    payload: wire::encode(&job),
                })
                .await?;
                self.remove(&subject::parked(&job.id), None).await?;
            }
        }
        Ok(())
    }

    /// What a message says of a job that was put aside.
    pub(crate) fn parked(&self, stored: &Stored) -> Option<(Job, Lane)> {
        let lane = Lane::from_consumer(stored.headers.get(LANE)?.as_str())?;
        Some((self.read(stored)?, lane))
    }
}

/// What asks for an ended job again goes on asking, wherever it is sent.
fn keep_retry(from: Option<&HeaderMap>, to: &mut HeaderMap) {
    if let Some(revision) = from.and_then(|headers| headers.get(RETRY_OF)) {
        to.insert(RETRY_OF, revision.clone());
    }
}
