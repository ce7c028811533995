//! Parked jobs: jobs of paused batches, set aside so that they do not block others.

use async_nats::HeaderMap;
use async_nats::jetstream;
use jiff::SignedDuration;

use crate::broker::nats::direct::Stored;
use crate::broker::nats::message::Message;
use crate::broker::queue::messages;
use crate::broker::queue::messages::RETRY_OF;
use crate::broker::queue::trace;
use crate::broker::{Broker, BrokerError};
use crate::farm::orders::{Order, Target};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::{BatchId, JobId};
use crate::names::subject;
use crate::names::subject::{CONTROL, JOBS, PARKED};
use crate::wire;

/// Header of a parked job: the name of its lane's consumer.
const LANE: &str = "Farm-Lane";

/// If a batch is resumed while a worker parks a job, the job is delivered again after this time.
const RESUMED_WAIT: SignedDuration = SignedDuration::from_secs(1);

impl Broker {
    /// Parks a job of a paused batch.
    pub(crate) async fn park(
        &self,
        job: &Job,
        lane: &Lane,
        message: &jetstream::Message,
    ) -> Result<(), BrokerError> {
        let parked = subject::parked(&job.id);
        let aside = Message::new(&*parked, wire::encode(job)).with(LANE, lane.consumer());
        self.store_message(keep_headers(message.headers.as_ref(), aside))
            .await?;
        // If the batch was resumed meanwhile, the program that unparks its jobs may have looked before this job was
        // parked.
        if !self.is_batch_paused(&job.batch).await? {
            self.remove_messages(&parked, None).await?;
            return self.nak_later(message, RESUMED_WAIT).await;
        }
        // If the ack is lost, the message is delivered once more, and the job is parked again.
        self.ack(message).await
    }

    /// Whether a batch is paused, read from the leader.
    async fn is_batch_paused(&self, batch: &BatchId) -> Result<bool, BrokerError> {
        let target = Target::Batch(*batch);
        let what = format!("reading the orders to {target}");
        let order = self
            .nats
            .confirmed_value(CONTROL, &target.to_string(), &what)
            .await?;
        Ok(order.is_some_and(|order: Order| order.paused))
    }

    /// All parked jobs, each with its lane, without parked parts of split jobs.
    pub async fn parked_jobs(&self) -> Result<Vec<(Job, Lane)>, BrokerError> {
        let stored = self.nats.all(JOBS, PARKED).await?;
        Ok(stored
            .iter()
            .filter_map(|stored| self.parked(stored))
            .filter(|(job, _)| job.id.is_whole())
            .collect())
    }

    /// A parked job with its lane; `None` if it is not parked.
    pub(crate) async fn parked_job(&self, job: &JobId) -> Result<Option<(Job, Lane)>, BrokerError> {
        let stored = self.nats.last(JOBS, &subject::parked(job)).await?;
        Ok(stored.as_ref().and_then(|stored| self.parked(stored)))
    }

    /// Brings the parked jobs of a batch back to their lanes. If this is interrupted, the next call goes on.
    pub(crate) async fn unpark(&self, batch: &BatchId) -> Result<(), BrokerError> {
        for stored in self.nats.all(JOBS, PARKED).await? {
            let Some((job, lane)) = self.parked(&stored) else {
                continue;
            };
            if job.batch == *batch {
                let message = messages::pending(&job, &lane);
                self.store_message(keep_headers(Some(&stored.headers), message))
                    .await?;
                self.remove_messages(&stored.subject, None).await?;
            }
        }
        Ok(())
    }

    /// The job and the lane in the message of a parked job.
    pub(crate) fn parked(&self, stored: &Stored) -> Option<(Job, Lane)> {
        let lane = Lane::from_consumer(stored.headers.get(LANE)?.as_str())?;
        Some((self.nats.read(stored)?, lane))
    }
}

/// Copies the request for a retry, and the context of the job's trace, from one message to the next.
fn keep_headers(from: Option<&HeaderMap>, to: Message) -> Message {
    let to = trace::carry(from, to);
    match from.and_then(|headers| headers.get(RETRY_OF)) {
        Some(revision) => to.with(RETRY_OF, revision),
        None => to,
    }
}
