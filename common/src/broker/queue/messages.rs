//! A job's messages in the work queue: building, storing, finding, removing.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{NATS_SCHEDULE, NATS_SCHEDULE_TARGET};
use jiff::Timestamp;

use crate::broker::nats::direct::Stored;
use crate::broker::nats::message::Message;
use crate::broker::queue::trace;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::{JOBS, JobSubject};
use crate::wire;

/// Guard of a message: the last sequence on these subjects, which may hold wildcards; 0 for "no message yet".
const EXPECTED_LAST: &str = "Nats-Expected-Last-Subject-Sequence";
const EXPECTED_LAST_SUBJECT: &str = "Nats-Expected-Last-Subject-Sequence-Subject";
/// Header of a message that asks for a retry of an ended job: the revision of the ended run. It is valid once, since
/// the retry changes the revision.
pub(crate) const RETRY_OF: &str = "Farm-Retry-Of";

/// Wait before a replica that lags behind its leader is asked again.
const LAG: Duration = Duration::from_millis(50);
/// How often a replica is asked again.
const MAX_LAGS: u32 = 100;

/// The message that makes a job pending in a lane.
pub(crate) fn pending(job: &Job, lane: &Lane) -> Message {
    trace::within(Message::new(subject::job(lane, &job.id), wire::encode(job)))
}

/// The message that makes a job pending, unless the job is pending in any lane already.
pub(crate) fn first(job: &Job, lane: &Lane) -> Message {
    pending(job, lane)
        .with(EXPECTED_LAST, 0)
        .with(EXPECTED_LAST_SUBJECT, subject::job_anywhere(&job.id))
}

/// The message that asks for a retry of a job whose run ended with this revision.
pub(crate) fn retry(job: &Job, lane: &Lane, ended: u64) -> Message {
    pending(job, lane).with(RETRY_OF, ended)
}

/// A message that the broker moves from the subject `waits_on` to a lane at a given time.
pub(crate) fn scheduled(job: &Job, waits_on: String, lane: &Lane, at: Timestamp) -> Message {
    trace::within(Message::new(waits_on, wire::encode(job)))
        .with(NATS_SCHEDULE, format!("@at {at}"))
        .with(NATS_SCHEDULE_TARGET, subject::job(lane, &job.id))
}

/// The lane to which a scheduled message is moved, and when.
pub(crate) fn opening(stored: &Stored) -> Option<(Lane, Timestamp)> {
    let header = |name: async_nats::HeaderName| Some(stored.headers.get(name)?.as_str());
    let at = header(NATS_SCHEDULE)?.strip_prefix("@at ")?.parse().ok()?;
    let subject = JobSubject::parse(header(NATS_SCHEDULE_TARGET)?)?;
    Some((subject.lane, at))
}

/// The messages that open a job's fallback queues, one after the other.
pub(crate) fn fallbacks(job: &Job, lane: &Lane, from: Timestamp) -> Vec<Message> {
    let openings = job
        .fallbacks
        .iter()
        .flat_map(|fallbacks| fallbacks.openings(from));
    (1..)
        .zip(openings)
        .map(|(nth, (queue, at))| {
            let there = Lane {
                queue: queue.clone(),
                ..lane.clone()
            };
            scheduled(job, subject::hop(&job.id, nth), &there, at)
        })
        .collect()
}

/// The revision of the ended run, if a message asks for its retry.
pub(crate) fn retry_of(headers: Option<&HeaderMap>) -> Option<u64> {
    headers?.get(RETRY_OF)?.as_str().parse().ok()
}

impl Broker {
    /// Stores one message in the work queue.
    pub(crate) async fn store_message(&self, message: Message) -> Result<(), BrokerError> {
        let what = format!("publishing {}", message.subject);
        self.nats.store(&what, message).await.map(drop)
    }

    /// Makes a job pending in a lane. If this is done twice, the worker that gets the second message drops it.
    pub(crate) async fn send_to(&self, job: &Job, lane: &Lane) -> Result<(), BrokerError> {
        self.store_message(pending(job, lane)).await
    }

    /// Schedules the messages that open a job's fallback queues.
    pub(crate) async fn open_fallbacks(
        &self,
        job: &Job,
        lane: &Lane,
        from: Timestamp,
    ) -> Result<(), BrokerError> {
        for message in fallbacks(job, lane, from) {
            self.store_message(message).await?;
        }
        Ok(())
    }

    /// All messages of a job in the work queue.
    pub(crate) async fn messages(&self, job: &JobId) -> Result<Vec<Stored>, BrokerError> {
        let subjects = [subject::job_anywhere(job), subject::later_anywhere(job)];
        self.nats.last_of_each(JOBS, &subjects).await
    }

    /// A job that no worker has claimed yet, as a run.
    pub(crate) async fn unclaimed(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        let now = self.now();
        let anywhere = subject::job_anywhere(job);
        for stored in &self.nats.last_of_each(JOBS, &[anywhere]).await? {
            if let Some(subject) = JobSubject::parse(&stored.subject)
                && let Some(job) = self.nats.read::<Job>(stored)
            {
                return Ok(Some(Run::unclaimed(job, &subject.lane, now)));
            }
        }
        let parked = self.parked_job(job).await?;
        Ok(parked.map(|(job, lane)| Run::unclaimed(job, &lane, now)))
    }

    /// Removes the messages of an ended job, but not one that asks for a retry of this revision or a later one.
    pub(crate) async fn sweep(&self, job: &JobId, revision: u64) -> Result<(), BrokerError> {
        for stored in self.messages(job).await? {
            if retry_of(Some(&stored.headers)).is_none_or(|of| of < revision) {
                self.remove_messages(&stored.subject, Some(stored.sequence))
                    .await?;
            }
        }
        Ok(())
    }

    /// Removes the messages of a subject of the work queue, up to and including the sequence `last`, one by one. A
    /// purge would need one request, but it makes nats-server 2.15 (issue 5727) forget messages that busy lanes hold:
    /// such a message stays in the stream, and no worker ever gets it.
    pub(crate) async fn remove_messages(
        &self,
        subject: &str,
        last: Option<u64>,
    ) -> Result<(), BrokerError> {
        let mut lags = 0;
        while lags < MAX_LAGS
            && let Some(stored) = self.nats.first_from(JOBS, subject, 1).await?
            && last.is_none_or(|last| stored.sequence <= last)
        {
            if let Err(error) = self.nats.delete(JOBS, stored.sequence).await {
                // If the message is gone already, that is as good.
                if self.nats.has(JOBS, stored.sequence).await? {
                    return Err(error);
                }
                // A replica that lags behind still shows the message.
                lags += 1;
                tokio::time::sleep(LAG).await;
            }
        }
        Ok(())
    }
}
