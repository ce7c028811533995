//! Claiming: taking a job so that exactly one worker owns it, and the writes
//! that only its owner may make.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{NATS_SCHEDULE, NATS_SCHEDULE_TARGET};
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::broker::nats::atomic::Message;
use crate::broker::queue::owner::{Held, Owner, RETURN};
use crate::broker::queue::runs::{Tries, Write};
use crate::broker::steer::change::RETRY_OF;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::run::fence::Fence;
use crate::job::run::report::Report;
use crate::job::run::{Delivered, Delivery, Run, RunState, Stage};
use crate::names::subject;
use crate::wire;

/// No retry waits longer than this.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// A job that came to nothing by what passes is tried again after so long at
/// the latest: trouble that is over must be found out.
const LONGEST_PASSING: SignedDuration = SignedDuration::from_mins(1);
/// Up to so much more, so that what failed together does not come back together.
const JITTER: f64 = 0.2;
/// For so long a job that failed by this worker's fault is left to others,
const ELSEWHERE: SignedDuration = SignedDuration::from_secs(3);
/// looking again that often.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// What a newer program wrote is left for so long to workers that can read it.
const NEWER: SignedDuration = SignedDuration::from_secs(60);
/// Within this time, the run of a job is written that is to be tried again.
const MADE: SignedDuration = SignedDuration::from_secs(60);
/// A job whose owner is silent, and which is not to be taken over yet, is offered
/// again after this share of its lease.
const SHARE: u32 = 3;

/// A job that this worker owns, until a write says otherwise.
#[derive(Clone)]
pub struct Claim {
    pub(crate) broker: Broker,
    run: Run,
    revision: u64,
    /// Writes whose end was not awaited, as they were sent: each may have come through.
    unheard: Vec<Bytes>,
    message: std::sync::Arc<jetstream::Message>,
    pub(crate) ack_wait: Duration,
    /// By this the worker knows for whom it speaks when somebody asks.
    _held: std::sync::Arc<Held>,
}

/// The run is no longer this worker's.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Another worker took it over, or a person decided otherwise.
    #[error("the job is no longer this worker's")]
    Elsewhere,
    /// The broker refuses.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// What became of a delivered message.
pub(crate) enum Taken {
    /// Its job is this worker's.
    Claimed(Box<Claim>),
    /// Its job has failed for good, because its last owner vanished.
    Buried(Box<Run>),
    /// The job needs nothing of this worker.
    Nothing,
}

impl Broker {
    /// Makes a delivered job this worker's run, or settles its message where the
    /// job needs nothing more of it.
    pub(crate) async fn take(
        &self,
        lane: &Lane,
        message: jetstream::Message,
        job: Job,
        worker: &WorkerName,
        ack_wait: Duration,
    ) -> Result<Taken, BrokerError> {
        let what = || format!("message on {}", message.subject);
        let info = message.info().map_err(BrokerError::request(what()))?;
        let delivered = Delivered {
            sequence: info.stream_sequence,
            count: info.delivered.unsigned_abs(),
        };
        let age = SignedDuration::from_nanos_i128(
            self.now().as_nanosecond() - info.published.unix_timestamp_nanos(),
        );
        let retry_of = retry_of(&message);
        // What is delivered for the first time is most likely a job without a
        // run: the guard of the write finds out where it is not.
        let mut is_new = info.delivered <= 1 && retry_of.is_none();
        let mut is_confirmed = false;
        loop {
            let now = self.now();
            let found = if is_confirmed {
                self.confirmed_run(&job.id).await
            } else if std::mem::take(&mut is_new) {
                Ok(None)
            } else {
                self.versioned_run(&job.id).await
            };
            let found = match found {
                Ok(found) => found,
                Err(BrokerError::BrokenRun { source, .. }) if retry_of.is_none() || age > MADE => {
                    self.bury_unreadable(&job, lane, &message, &source).await?;
                    return Ok(Taken::Nothing);
                }
                // Whoever wants it tried again is about to write it anew.
                Err(BrokerError::BrokenRun { .. }) => {
                    self.leave(&message, LOOK_AGAIN).await?;
                    return Ok(Taken::Nothing);
                }
                Err(BrokerError::Wire { what, source }) => {
                    tracing::warn!(what, error = %source, "left for a newer worker");
                    self.leave(&message, NEWER).await?;
                    return Ok(Taken::Nothing);
                }
                Err(error) => return Err(error),
            };
            let (next, expected, tries) = match found {
                None => (
                    Run::first(job.clone(), lane, delivered, worker.clone(), now),
                    0,
                    Tries::Endless,
                ),
                Some(found) => {
                    let again = found
                        .run
                        .retry(now)
                        .filter(|_| retry_of == Some(found.revision));
                    let run = match again {
                        Some(again) => {
                            self.unbury(&job.id).await?;
                            again
                        }
                        None => found.run,
                    };
                    match run.on_delivery(lane, delivered, now) {
                        Delivery::TakeOver if run.failed_last_on(worker) && age < ELSEWHERE => {
                            self.leave(&message, LOOK_AGAIN).await?;
                            return Ok(Taken::Nothing);
                        }
                        Delivery::TakeOver => {
                            let next = run.take_over(lane, delivered, worker.clone(), now);
                            (next, found.revision, Tries::Endless)
                        }
                        // Who is asked must be the one who has it now.
                        Delivery::Ask { .. } if !is_confirmed => {
                            is_confirmed = true;
                            continue;
                        }
                        Delivery::Ask { owner, is_newer } => {
                            let state = self.owner(&owner, &job.id, run.attempt).await?;
                            let wait = match state {
                                Owner::Gone if is_newer => None,
                                Owner::Alive => Some(ack_wait),
                                Owner::Gone => Some(ack_wait / SHARE),
                                Owner::Unknown => Some(RETURN.min(ack_wait / SHARE)),
                            };
                            if let Some(wait) = wait {
                                let wait = SignedDuration::try_from(wait);
                                self.leave(&message, wait.unwrap_or(LOOK_AGAIN)).await?;
                                return Ok(Taken::Nothing);
                            }
                            // It may have died between the dead letter and the run.
                            self.unbury(&job.id).await?;
                            let next = run.take_over(lane, delivered, worker.clone(), now);
                            // After an outage the owner may be back.
                            (next, found.revision, Tries::One)
                        }
                        Delivery::Leave(wait) => {
                            self.leave(&message, wait).await?;
                            return Ok(Taken::Nothing);
                        }
                        // A replica that lags behind must not have the last word.
                        Delivery::Forward(_) | Delivery::Drop if !is_confirmed => {
                            is_confirmed = true;
                            continue;
                        }
                        Delivery::Forward(there) => {
                            self.send_to(&job, &there).await?;
                            self.acknowledge(&job, &message).await?;
                            return Ok(Taken::Nothing);
                        }
                        Delivery::Drop => {
                            self.acknowledge(&job, &message).await?;
                            return Ok(Taken::Nothing);
                        }
                    }
                }
            };
            let held = self.owned.hold(&job.id, next.attempt);
            let written = self.settle_by(&next, expected, tries).await?;
            if let (Write::Done(_), Tries::One) = (&written, tries) {
                // In case that it is still at it.
                self.nudge(&job.id).await;
            }
            match written {
                Write::Done(_) if next.state.is_terminal() => {
                    self.acknowledge(&job, &message).await?;
                    return Ok(Taken::Buried(Box::new(next)));
                }
                Write::Done(revision) => {
                    let claim = Claim {
                        broker: self.clone(),
                        run: next,
                        revision,
                        unheard: Vec::new(),
                        message: message.into(),
                        ack_wait,
                        _held: held.into(),
                    };
                    return Ok(Taken::Claimed(Box::new(claim)));
                }
                // The run has just changed: look again.
                Write::Conflict => is_confirmed = true,
            }
        }
    }

    /// Writes a run and its history; a failed job is a dead letter first.
    pub(crate) async fn settle(&self, next: &Run, expected: u64) -> Result<Write, BrokerError> {
        self.settle_by(next, expected, Tries::Some).await
    }

    async fn settle_by(
        &self,
        next: &Run,
        expected: u64,
        tries: Tries,
    ) -> Result<Write, BrokerError> {
        let letter = match next.state {
            RunState::Failed { .. } => loop {
                match self.bury(next).await {
                    Ok(letter) => break letter,
                    Err(error) if tries != Tries::Endless => return Err(error),
                    Err(error) => tracing::debug!(%error, "no answer; trying again"),
                }
                self.collect_itself().await;
            },
            _ => None,
        };
        let written = self.write_run(next, expected, tries).await?;
        match (&written, letter) {
            (Write::Done(_), _) => self.record(next).await,
            // One that was there before may be the true owner's.
            (Write::Conflict, Some(letter)) => self.withdraw(&next.job.id, letter).await?,
            (Write::Conflict, None) => {}
        }
        Ok(written)
    }

    /// Lets go of a message whose job needs nothing more of it.
    async fn acknowledge(
        &self,
        job: &Job,
        message: &jetstream::Message,
    ) -> Result<(), BrokerError> {
        message.ack().await.map_err(BrokerError::request(format!(
            "acknowledging job {}",
            job.id
        )))
    }

    /// Leaves a message to others; this or another worker sees it again.
    pub(crate) async fn leave(
        &self,
        message: &jetstream::Message,
        wait: SignedDuration,
    ) -> Result<(), BrokerError> {
        message
            .ack_with(AckKind::Nak(Some(wait.unsigned_abs())))
            .await
            .map_err(BrokerError::request(format!(
                "leaving {} to others",
                message.subject
            )))
    }

    /// A job whose run cannot be read: nothing can be decided about it, and it must
    /// not block its lane.
    async fn bury_unreadable(
        &self,
        job: &Job,
        lane: &Lane,
        message: &jetstream::Message,
        why: &wire::WireError,
    ) -> Result<(), BrokerError> {
        tracing::error!(job = %job.id, %why, "its run is broken: moved to the dead letters");
        self.bury(&self.unreadable_run(job, lane, why)).await?;
        self.acknowledge(job, message).await
    }

    /// A message that this program cannot read. One from a newer program is
    /// left for a newer worker; rubbish must not block its lane.
    pub(crate) async fn set_aside(
        &self,
        message: &jetstream::Message,
        error: wire::WireError,
    ) -> Result<(), BrokerError> {
        let subject = message.subject.as_str();
        let what = || format!("setting {subject} aside");
        let answer = if matches!(error, wire::WireError::Newer { .. }) {
            tracing::warn!(subject, %error, "left for a newer worker");
            message
                .ack_with(AckKind::Nak(Some(NEWER.unsigned_abs())))
                .await
        } else {
            tracing::error!(subject, %error, "not a job of this farm: moved to the dead letters");
            let name = subject.split('.').nth(3).unwrap_or("unknown");
            let queue = subject.split('.').nth(1).unwrap_or("unknown");
            self.jetstream
                .publish(format!("dead.{queue}.{name}"), message.payload.clone())
                .await
                .map_err(BrokerError::request(what()))?
                .await
                .map_err(BrokerError::request(what()))?;
            message.ack().await
        };
        answer.map_err(BrokerError::request(what()))
    }

    /// Rings the bell of a queue, for jobs that came back or were left over:
    /// the broker itself rings only when one is first published.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn ring(&self, lane: &Lane) -> Result<(), BrokerError> {
        self.client
            .publish(subject::wake(&lane.queue), bytes::Bytes::new())
            .await
            .map_err(BrokerError::request("waking a worker"))
    }
}

impl Claim {
    /// The run as this worker last wrote it.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.run.job
    }

    /// The lane that it was taken from.
    pub fn lane(&self) -> Lane {
        Lane {
            priority: self.run.priority,
            queue: self.run.queue.clone(),
        }
    }

    /// Time from one renewal of the fence to the next.
    pub fn renewal(&self) -> Duration {
        self.ack_wait / 3
    }

    /// Tells the broker that the job is being worked on. Says nothing about
    /// who owns it: the broker accepts this from anyone.
    pub(crate) async fn keep_alive(&self) -> Result<(), async_nats::Error> {
        self.message.ack_with(AckKind::Progress).await
    }

    /// Writes the next state of the run, where it is still this worker's. It may be
    /// dropped half-way: the next write finds out what became of this one.
    async fn write(&mut self, next: impl Fn(&Run) -> Run) -> Result<(), Lost> {
        loop {
            let run = next(&self.run);
            self.unheard.push(wire::encode(&run));
            let (broker, expected) = (&self.broker, self.revision);
            // What stays this worker's is no news.
            let written = if matches!(run.state, RunState::Running { .. }) {
                broker.write_run(&run, expected, Tries::Endless).await?
            } else {
                broker.settle_by(&run, expected, Tries::Endless).await?
            };
            match written {
                Write::Done(revision) => {
                    self.unheard.clear();
                    (self.run, self.revision) = (run, revision);
                    return Ok(());
                }
                Write::Conflict => {
                    self.unheard.pop();
                    self.catch_up().await?;
                }
            }
        }
    }

    /// Takes up a write of this worker's own that came through unheard.
    async fn catch_up(&mut self) -> Result<(), Lost> {
        let job = self.run.job.id;
        if !self.unheard.is_empty()
            && let Some((payload, revision)) = self.broker.confirmed_payload(&job).await?
            && self.unheard.contains(&payload)
        {
            let found = self.broker.versioned(&job, &payload, revision)?;
            self.unheard.clear();
            (self.run, self.revision) = (found.run, found.revision);
            return Ok(());
        }
        Err(Lost::Elsewhere)
    }

    /// The fence: from here on only the owner goes on, to make its output appear.
    /// It names what appears and how, for a successor to forestall it or to
    /// know it for the job's own; what was named before is settled by now.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn fence(&mut self, fence: Fence) -> Result<(), Lost> {
        let now = self.broker.now();
        self.write(|run| run.fence(fence.clone(), now)).await
    }

    /// Writes the fence anew, while the store takes its time.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn renew_fence(&mut self) -> Result<(), Lost> {
        let now = self.broker.now();
        self.write(|run| run.enter(Stage::Publishing, now)).await
    }

    /// Writes down that what an earlier attempt was about to make appear has not
    /// appeared, and never will.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn settle(&mut self) -> Result<(), Lost> {
        let now = self.broker.now();
        self.write(|run| run.settle(now)).await
    }

    /// The same, to be written with whatever is written next.
    pub fn mark_settled(&mut self) {
        self.run = self.run.settle(self.run.changed);
    }

    /// The job has failed for good: the output of the attempt that vanished has
    /// not appeared.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn bury(self) -> Result<Run, Lost> {
        let now = self.broker.now();
        self.end(|run| run.bury(now)).await
    }

    /// The output is at its final key: the job is done.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn complete(self, report: Report) -> Result<Run, Lost> {
        let now = self.broker.now();
        self.end(|run| run.complete(report.clone(), now)).await
    }

    /// The attempt failed: the job waits for its next one, or has failed for good.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn fail(self, failure: Failure) -> Result<Run, Lost> {
        let first = SignedDuration::try_from(self.broker.retry_after).unwrap_or(LONGEST_RETRY);
        let wait = if failure.uses_attempt() {
            retry_wait(first, self.run.spent(), random_share())
        } else {
            let times = u32::try_from(self.run.passing_failures()).unwrap_or(u32::MAX);
            retry_wait(first, times.saturating_add(1), random_share()).min(LONGEST_PASSING)
        };
        let now = self.broker.now();
        self.end(|run| run.fail(failure.clone(), wait, now)).await
    }

    /// Gives the job back unharmed, for another worker to take at once.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn hand_back(mut self) -> Result<(), Lost> {
        let now = self.broker.now();
        self.write(|run| run.hand_back(now)).await?;
        let _ = self.message.ack_with(AckKind::Nak(None)).await;
        Ok(self.broker.ring(&self.lane()).await?)
    }

    /// Lets go of a job that a person cancelled while it ran.
    pub async fn let_go(self) {
        if let Err(error) = self.message.ack().await {
            tracing::debug!(job = %self.run.job.id, %error, "not acknowledged; it will be dropped when it comes back");
        }
    }

    /// Writes and records how the attempt ended, and lets go of its message. The
    /// run has the say by then: an acknowledgement that is lost only brings the
    /// message back once more, to be settled by whoever gets it.
    async fn end(mut self, next: impl Fn(&Run) -> Run) -> Result<Run, Lost> {
        self.write(next).await?;
        if let RunState::Waiting { until, .. } = self.run.state {
            let later = subject::later(&self.run.job.id);
            let message = scheduled(&self.run.job, later, &self.lane(), until);
            self.broker.publish(message).await?;
        }
        self.broker
            .acknowledge(&self.run.job, &self.message)
            .await?;
        if self.run.state.is_terminal() && self.run.job.fallbacks.is_some() {
            self.broker.sweep(&self.run.job.id, self.revision).await?;
        }
        Ok(self.run)
    }
}

/// A message that the broker moves to a lane at its time.
pub(crate) fn scheduled(job: &Job, waits_on: String, lane: &Lane, at: Timestamp) -> Message {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_SCHEDULE, format!("@at {at}"));
    headers.insert(NATS_SCHEDULE_TARGET, subject::job(lane, &job.id));
    Message {
        subject: waits_on,
        headers,
        payload: wire::encode(job),
    }
}

/// The messages that open a job's further queues to it, one after the other.
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

/// The revision of the ended run that a message asks to be tried again.
fn retry_of(message: &jetstream::Message) -> Option<u64> {
    let headers = message.headers.as_ref()?;
    headers.get(RETRY_OF)?.as_str().parse().ok()
}

/// How long to wait after this many failed attempts: `first` after one, twice as
/// long after each further one; `share`, from 0 to 1, of the jitter on top.
fn retry_wait(first: SignedDuration, spent: u32, share: f64) -> SignedDuration {
    let doubled = 1_i32 << spent.saturating_sub(1).min(16);
    first
        .saturating_mul(doubled)
        .min(LONGEST_RETRY)
        .mul_f64(1.0 + JITTER * share)
}

/// A number from 0 to 1 that differs each time.
fn random_share() -> f64 {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    random as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_wait_twice_as_long_each_time_up_to_a_limit() {
        let first = SignedDuration::from_secs(5);
        assert_eq!(retry_wait(first, 1, 0.0), SignedDuration::from_secs(5));
        assert_eq!(retry_wait(first, 2, 0.0), SignedDuration::from_secs(10));
        assert_eq!(retry_wait(first, 40, 0.0), LONGEST_RETRY);
        assert_eq!(retry_wait(first, 1, 1.0), SignedDuration::from_secs(6));
    }
}
