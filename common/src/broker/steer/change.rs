//! A person changes their mind about a job: cancel, move, try again.
//!
//! Each is decided by one compare-and-set of the run; what follows it (messages
//! sent and removed, the owner told) may be broken off anywhere: whoever meets
//! the job's messages next reads the run and does what is left to do.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessageErrorKind;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::broker::nats::atomic::Message;
use crate::broker::queue::claim::fallbacks;
use crate::broker::queue::runs::{Versioned, Write};
use crate::broker::submit::outputs::Holder;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::Job;
use crate::job::event::Event;
use crate::job::id::JobId;
use crate::job::run::{Requeue, Run, RunState};
use crate::names::subject;
use crate::names::subject::{JOBS, JobSubject, RUNS};
use crate::wire;

/// Header of a message that asks for an ended job again: the revision of the
/// run that had ended. It counts once: by then the revision is another.
pub(crate) const RETRY_OF: &str = "Farm-Retry-Of";
/// Wait between two looks at a job that is just being published.
const LOOK: Duration = Duration::from_millis(200);
/// How long such a job is waited for, by the clock of whoever waits: what other
/// clocks say of it does not count.
const APPEARING: Duration = Duration::from_secs(5);

/// How long a replica gets to hear what its leader did, before it is asked again.
const LAG: Duration = Duration::from_millis(50);
/// How often.
const MOST_LAGS: u32 = 100;

/// How an order about one job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum SteerResult {
    /// It is done: this is the run now.
    Done(Box<Run>),
    /// Nothing was changed, because of where the run stands.
    TooLate(Box<Run>),
    /// Nobody has heard of the job.
    Unknown,
    /// Nothing was changed: by now its output belongs to another job, which waits or runs.
    OutputTaken(Holder),
}

impl Broker {
    /// Cancels a job that waits or runs. One whose output is just about to
    /// appear is waited for a while, and then is too late: a cancelled job has no
    /// output, whatever clocks say and whoever has vanished.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn cancel(&self, job: &JobId) -> Result<SteerResult, BrokerError> {
        // Its owner may be finding out what another has published.
        let is_early = |run: &Run| run.is_publishing() || run.may_appear();
        loop {
            let Some(found) = self.steerable(job, is_early).await? else {
                return Ok(SteerResult::Unknown);
            };
            let Some(next) = found.run.cancel(self.now()) else {
                return Ok(SteerResult::TooLate(Box::new(found.run)));
            };
            if let Write::Done(revision) = self.settle(&next, found.revision).await? {
                self.nudge(job).await;
                self.sweep(job, revision).await?;
                return Ok(SteerResult::Done(Box::new(next)));
            }
        }
    }

    /// Has a job taken from another queue, at another priority, or both. One
    /// that runs stops and starts there anew if its queue changes; its priority
    /// alone is of no use to it any more.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn move_job(
        &self,
        job: &JobId,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<SteerResult, BrokerError> {
        loop {
            let Some(found) = self.steerable(job, Run::is_publishing).await? else {
                return Ok(SteerResult::Unknown);
            };
            let is_running = matches!(found.run.state, RunState::Running { .. });
            let lane = Lane {
                queue: queue.unwrap_or(&found.run.queue).clone(),
                priority: priority.unwrap_or(found.run.priority),
            };
            let stays = lane.queue == found.run.queue;
            let next = found.run.move_to(&lane, self.now());
            let Some(next) = next.filter(|_| !(stays && is_running)) else {
                return Ok(SteerResult::TooLate(Box::new(found.run)));
            };
            if lane == found.run.lane() && !is_running {
                return Ok(SteerResult::Done(Box::new(found.run)));
            }
            self.open_lane(&lane).await?;
            let old = self.messages(job).await?;
            let Write::Done(_) = self.settle(&next, found.revision).await? else {
                continue;
            };
            if found.revision == 0 {
                self.record_event(&Event::queued(&found.run)).await;
            }
            if is_running {
                self.nudge(job).await;
            }
            self.send_to(&next.job, &lane).await?;
            for stored in old {
                self.remove(&stored.subject, Some(stored.sequence)).await?;
            }
            if matches!(
                next.state,
                RunState::Queued {
                    by: Requeue::Operator
                }
            ) {
                self.open_further(&next.job, &lane, next.job.enqueued)
                    .await?;
            }
            return Ok(SteerResult::Done(Box::new(next)));
        }
    }

    /// Has a job that failed or was cancelled tried again, with all its attempts. One
    /// whose run is broken starts anew, from its dead letter or what waits of it.
    ///
    /// # Errors
    /// Where the broker gives no answer, or a broken run's job is nowhere else.
    pub async fn retry(&self, job: &JobId) -> Result<SteerResult, BrokerError> {
        let found = match self.confirmed_run(job).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(SteerResult::Unknown),
            Err(BrokerError::BrokenRun {
                job,
                revision,
                source,
            }) => match self.known_otherwise(&job, &source).await? {
                Some(run) => Versioned { run, revision },
                None => {
                    return Err(BrokerError::Wire {
                        what: format!(
                            "the run of job {job} is broken and its job nowhere else: enqueue its input once more with --again"
                        ),
                        source,
                    });
                }
            },
            Err(error) => return Err(error),
        };
        let Some(next) = found.run.retry(self.now()) else {
            return Ok(SteerResult::TooLate(Box::new(found.run)));
        };
        if let Some(holder) = self.claim_outputs([&next.job]).await?.remove(job) {
            return Ok(SteerResult::OutputTaken(holder));
        }
        let lane = next.lane();
        self.open_lane(&lane).await?;
        // First the message: a run that waits without one would wait for ever.
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_OF, found.revision.to_string());
        self.publish(Message {
            subject: subject::job(&lane, job),
            headers,
            payload: wire::encode(&next.job),
        })
        .await?;
        // A worker that was quicker has written it already.
        if let Write::Done(_) = self.settle(&next, found.revision).await? {
            self.unbury(job).await?;
            self.open_further(&next.job, &lane, self.now()).await?;
        }
        Ok(SteerResult::Done(Box::new(next)))
    }

    /// Where the job stands, as a run; one that nobody took yet has none, so it
    /// gets one with revision 0. Waits for a while where it runs and the
    /// order comes too early to be sure of what it does.
    async fn steerable(
        &self,
        job: &JobId,
        is_early: impl Fn(&Run) -> bool,
    ) -> Result<Option<Versioned>, BrokerError> {
        let give_up = Instant::now() + APPEARING;
        loop {
            let Some(found) = self.confirmed_run(job).await? else {
                return Ok(self
                    .untaken(job)
                    .await?
                    .map(|run| Versioned { run, revision: 0 }));
            };
            let is_running = matches!(found.run.state, RunState::Running { .. });
            if !(is_running && is_early(&found.run)) || Instant::now() >= give_up {
                return Ok(Some(found));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A job whose run cannot be read, by its dead letter or by what waits of it.
    pub(crate) async fn known_otherwise(
        &self,
        job: &JobId,
        why: &wire::WireError,
    ) -> Result<Option<Run>, BrokerError> {
        let known = match self.dead_letter(job).await? {
            Some(letter) => Some(letter),
            None => self.untaken(job).await?,
        };
        Ok(known.map(|run| self.unreadable_run(&run.job, &run.lane(), why)))
    }

    /// A job that nobody has taken yet.
    async fn untaken(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        let now = self.now();
        let waiting = self
            .last_of_each(JOBS, &[subject::job_anywhere(job)])
            .await?;
        for stored in &waiting {
            if let Some(place) = JobSubject::parse(&stored.subject)
                && let Some(job) = self.read::<Job>(stored)
            {
                return Ok(Some(Run::untaken(job, &place.lane, now)));
            }
        }
        let parked = self.parked_job(job).await?;
        Ok(parked.map(|(job, lane)| Run::untaken(job, &lane, now)))
    }

    /// Whatever of a job lies in the work queue.
    pub(crate) async fn messages(
        &self,
        job: &JobId,
    ) -> Result<Vec<crate::broker::nats::direct::Stored>, BrokerError> {
        let subjects = [subject::job_anywhere(job), subject::later_anywhere(job)];
        self.last_of_each(JOBS, &subjects).await
    }

    /// Removes what an ended job has left in the work queue, but not what asks
    /// for it again since its run has ended by this revision.
    pub(crate) async fn sweep(&self, job: &JobId, revision: u64) -> Result<(), BrokerError> {
        for stored in self.messages(job).await? {
            let asked = stored.headers.get(RETRY_OF);
            let of = asked.and_then(|of| of.as_str().parse::<u64>().ok());
            if of.is_none_or(|of| of < revision) {
                self.remove(&stored.subject, Some(stored.sequence)).await?;
            }
        }
        Ok(())
    }

    /// Forgets a job altogether, as if nobody had ever enqueued it. For whoever
    /// has the broker to themselves: a worker that is at it is not told.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn forget(&self, job: &JobId) -> Result<(), BrokerError> {
        self.forget_output(job).await?;
        for stored in self.messages(job).await? {
            self.remove(&stored.subject, None).await?;
        }
        // Past the key-value API, which would leave a marker in its place.
        let run = subject::kv(RUNS, &subject::run(job));
        self.purge_stream(&format!("KV_{RUNS}"), &run, None).await
    }

    /// Puts a job in a lane. Sent twice, the second message is dropped by
    /// whoever gets it.
    pub(crate) async fn send_to(&self, job: &Job, lane: &Lane) -> Result<(), BrokerError> {
        self.publish(Message {
            subject: subject::job(lane, &job.id),
            headers: HeaderMap::new(),
            payload: wire::encode(job),
        })
        .await
    }

    /// Has the broker open a job's further queues to it.
    async fn open_further(
        &self,
        job: &Job,
        lane: &Lane,
        from: Timestamp,
    ) -> Result<(), BrokerError> {
        for message in fallbacks(job, lane, from) {
            self.publish(message).await?;
        }
        Ok(())
    }

    /// Stores one message in the work queue.
    pub(crate) async fn publish(&self, message: Message) -> Result<(), BrokerError> {
        let what = format!("publishing {}", message.subject);
        self.jetstream
            .publish_with_headers(message.subject, message.headers, message.payload)
            .await
            .map_err(BrokerError::request(what.clone()))?
            .await
            .map(drop)
            .map_err(BrokerError::request(what))
    }

    /// Removes the messages of a subject of the work queue, up to and with a
    /// sequence, one by one. A purge would need one request, but nats-server
    /// (2.15; its issue 5727) then forgets what busy lanes hold: such a message
    /// stays in the stream, and nobody is ever given it again.
    pub(crate) async fn remove(&self, subject: &str, last: Option<u64>) -> Result<(), BrokerError> {
        let mut lags = 0;
        while lags < MOST_LAGS
            && let Some(stored) = self.first_from(JOBS, subject, 1).await?
            && last.is_none_or(|last| stored.sequence <= last)
        {
            if let Err(error) = self.delete(stored.sequence).await {
                // That it is gone already is as good.
                if self.is_there(stored.sequence).await? {
                    return Err(error);
                }
                // A replica that lags behind still shows it.
                lags += 1;
                tokio::time::sleep(LAG).await;
            }
        }
        Ok(())
    }

    /// Whether the work queue has this message, by the word of the leader.
    async fn is_there(&self, sequence: u64) -> Result<bool, BrokerError> {
        let what = "looking at the work queue";
        match self.job_stream(what).await?.get_raw_message(sequence).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(BrokerError::request(what)(error)),
        }
    }

    /// Removes one message of the work queue.
    async fn delete(&self, sequence: u64) -> Result<(), BrokerError> {
        let what = format!("removing message {sequence} of {JOBS}");
        let request = serde_json::json!({ "seq": sequence, "no_erase": true });
        let answer: Response<serde_json::Value> = self
            .jetstream
            .request(format!("STREAM.MSG.DELETE.{JOBS}"), &request)
            .await
            .map_err(BrokerError::request(what.clone()))?;
        match answer {
            Response::Ok(_) => Ok(()),
            Response::Err { error } => Err(BrokerError::request(what)(error)),
        }
    }

    /// Removes the messages of a subject, up to and with a sequence.
    pub(crate) async fn purge_stream(
        &self,
        stream: &str,
        subject: &str,
        last: Option<u64>,
    ) -> Result<(), BrokerError> {
        let what = || format!("removing {subject}");
        let stream = self
            .jetstream
            .get_stream_no_info(stream)
            .await
            .map_err(BrokerError::request(what()))?;
        let purge = stream.purge().filter(subject);
        let purged = match last {
            Some(last) => purge.sequence(last + 1).await,
            None => purge.await,
        };
        purged.map(drop).map_err(BrokerError::request(what()))
    }

    /// Has whoever runs the job look at its run again.
    pub(crate) async fn nudge(&self, job: &JobId) {
        let subject = subject::control_job(job);
        if let Err(error) = self.client.publish(subject, bytes::Bytes::new()).await {
            tracing::debug!(%job, %error, "its worker hears of it with its next sign of life");
        }
    }
}
