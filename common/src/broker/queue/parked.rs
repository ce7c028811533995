//! Jobs of paused batches, put aside out of the way of others.

use async_nats::HeaderMap;
use async_nats::jetstream;
use jiff::SignedDuration;

use crate::broker::nats::direct::Stored;
use crate::broker::nats::message::Message;
use crate::broker::queue::messages;
use crate::broker::queue::messages::RETRY_OF;
use crate::broker::{Broker, BrokerError};
use crate::farm::orders::{Order, Target};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::{BatchId, JobId};
use crate::names::subject;
use crate::names::subject::{CONTROL, JOBS, PARKED};
use crate::wire;

/// Header of a job that was put aside: the name of the lane that it belongs to.
const LANE: &str = "Farm-Lane";

/// A job that a worker would put aside although its batch is paused no more is
/// offered again after that long.
const RESUMED: SignedDuration = SignedDuration::from_secs(1);

impl Broker {
    /// Puts a job of a paused batch aside.
    pub(crate) async fn park(
        &self,
        job: &Job,
        lane: &Lane,
        message: &jetstream::Message,
    ) -> Result<(), BrokerError> {
        let parked = subject::parked(&job.id);
        let aside = Message::new(&*parked, wire::encode(job)).with(LANE, lane.consumer());
        self.store_message(keep_retry(message.headers.as_ref(), aside))
            .await?;
        // Where the batch was resumed meanwhile, the program that brings its jobs
        // back may have looked before this one was there.
        if !self.is_batch_paused(&job.batch).await? {
            self.remove_messages(&parked, None).await?;
            return self.nak_later(message, RESUMED).await;
        }
        // An acknowledgement that is lost brings the message back once more, to be put aside again.
        self.ack(message).await
    }

    /// Whether a batch is paused, by the word of the leader.
    async fn is_batch_paused(&self, batch: &BatchId) -> Result<bool, BrokerError> {
        let target = Target::Batch(*batch);
        let what = format!("reading the orders to {target}");
        let order = self
            .nats
            .confirmed_value(CONTROL, &target.to_string(), &what)
            .await?;
        Ok(order.is_some_and(|order: Order| order.paused))
    }

    /// The jobs that were put aside, each with the lane that it belongs to.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn parked_jobs(&self) -> Result<Vec<(Job, Lane)>, BrokerError> {
        let stored = self.nats.all(JOBS, PARKED).await?;
        Ok(stored
            .iter()
            .filter_map(|stored| self.parked(stored))
            .collect())
    }

    /// A job that was put aside, and where it belongs.
    pub(crate) async fn parked_job(&self, job: &JobId) -> Result<Option<(Job, Lane)>, BrokerError> {
        let stored = self.nats.last(JOBS, &subject::parked(job)).await?;
        Ok(stored.as_ref().and_then(|stored| self.parked(stored)))
    }

    /// Brings the jobs of a batch back to their lanes. Broken off and run again,
    /// it goes on.
    pub(crate) async fn unpark(&self, batch: &BatchId) -> Result<(), BrokerError> {
        for stored in self.nats.all(JOBS, PARKED).await? {
            let Some((job, lane)) = self.parked(&stored) else {
                continue;
            };
            if job.batch == *batch {
                let message = messages::pending(&job, &lane);
                self.store_message(keep_retry(Some(&stored.headers), message))
                    .await?;
                self.remove_messages(&stored.subject, None).await?;
            }
        }
        Ok(())
    }

    /// What a message says of a job that was put aside.
    pub(crate) fn parked(&self, stored: &Stored) -> Option<(Job, Lane)> {
        let lane = Lane::from_consumer(stored.headers.get(LANE)?.as_str())?;
        Some((self.nats.read(stored)?, lane))
    }
}

/// A message that asks for an ended job again goes on asking, wherever it is sent.
fn keep_retry(from: Option<&HeaderMap>, to: Message) -> Message {
    match from.and_then(|headers| headers.get(RETRY_OF)) {
        Some(revision) => to.with(RETRY_OF, revision),
        None => to,
    }
}
