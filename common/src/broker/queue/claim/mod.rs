//! A claim: a job that one worker owns, and the writes that only its owner may make.

pub(crate) mod completed;
pub(crate) mod decide;
pub(crate) mod lease;
mod lost;
pub(crate) mod owner;
pub(crate) mod span;
pub(crate) mod take;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use jiff::SignedDuration;
use opentelemetry::Context;

use crate::broker::queue::claim::completed::CompletedJob;
use crate::broker::queue::claim::decide::LOOK_AGAIN;
use crate::broker::queue::claim::owner::HeldAttempt;
use crate::broker::queue::messages::scheduled;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::part::Part;
use crate::job::run::fence::Fence;
use crate::job::run::kept::KeptReport;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState, Stage};
use crate::names::subject;
use crate::names::subject::JobSubject;
use crate::spans;
use crate::wire;

/// No retry waits longer than this.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// A job that failed by a passing fault waits at most this long, so that the end of an outage is noticed soon.
const LONGEST_PASSING: SignedDuration = SignedDuration::from_mins(1);
/// Share of the wait that is added at random, so that jobs that failed together do not come back together.
const JITTER: f64 = 0.2;

/// A job that this worker owns until a write finds that another program has written the run.
#[derive(Clone)]
pub struct Claim {
    broker: Broker,
    run: Run,
    revision: u64,
    /// Payloads of writes that were sent, but whose answer was not received: the broker may have stored any of them.
    unanswered: Vec<Bytes>,
    message: Arc<jetstream::Message>,
    ack_wait: Duration,
    /// The trace of the job.
    context: Context,
    /// Marks the attempt as held, so that this worker answers yes when another worker asks for it.
    _held: Arc<HeldAttempt>,
}

/// Why a write to a claimed job's run failed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another worker took the job over, or a person cancelled or moved it.
    #[error("the job is no longer this worker's")]
    Elsewhere,
    /// The broker refuses the write.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Claim {
    fn new(
        broker: Broker,
        Versioned { run, revision }: Versioned,
        message: jetstream::Message,
        ack_wait: Duration,
        held: HeldAttempt,
    ) -> Self {
        Self {
            broker,
            run,
            revision,
            unanswered: Vec::new(),
            context: span::context(&message),
            message: message.into(),
            ack_wait,
            _held: held.into(),
        }
    }

    /// The run as this worker last wrote it.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The job.
    pub fn job(&self) -> &Job {
        &self.run.job
    }

    /// The lane of the job: that from which it was claimed, but of a join, that of the encode.
    pub fn lane(&self) -> Lane {
        self.run.lane()
    }

    /// Time from one renewal of the fence to the next.
    pub fn renewal(&self) -> Duration {
        self.ack_wait / 3
    }

    /// Sends a sign of life: the broker starts the ack wait of the message anew. This does not prove ownership: the
    /// broker accepts a sign of life from every client.
    async fn keep_alive(&self) -> Result<(), BrokerError> {
        let what = || format!("telling that job {} is worked on", self.run.job.id);
        let nats = &self.broker.nats;
        nats.answer(what, &self.message, AckKind::Progress).await
    }

    /// Writes the next state of the run, if the run is still this worker's. The future may be dropped at any point:
    /// the next write finds out what became of this one.
    async fn write(&mut self, next: impl Fn(&Run) -> Run) -> Result<(), ClaimError> {
        loop {
            let run = next(&self.run);
            self.unanswered.push(wire::encode(&run));
            let (broker, expected) = (&self.broker, self.revision);
            // A run that stays this worker's is no entry in the history.
            let written = if matches!(run.state, RunState::Running { .. }) {
                broker.write_run(&run, expected, Tries::Endless).await?
            } else {
                broker.record_run(&run, expected, Tries::Endless).await?
            };
            match written {
                Write::Done(revision) => {
                    self.unanswered.clear();
                    (self.run, self.revision) = (run, revision);
                    return Ok(());
                }
                Write::Conflict => {
                    self.unanswered.pop();
                    self.catch_up().await?;
                }
            }
        }
    }

    /// Takes over the run and revision of an earlier write of this worker whose answer was lost.
    async fn catch_up(&mut self) -> Result<(), ClaimError> {
        let job = self.run.job.id;
        if !self.unanswered.is_empty()
            && let Some((payload, revision)) = self.broker.confirmed_payload(&job).await?
            && self.unanswered.contains(&payload)
        {
            let found = self.broker.versioned(&job, &payload, revision)?;
            self.unanswered.clear();
            (self.run, self.revision) = (found.run, found.revision);
            return Ok(());
        }
        Err(ClaimError::Elsewhere)
    }

    /// Writes the fence, right before the output appears; the write fails for a worker that lost the job. The fence
    /// names what appears and how, so that a worker that takes the job over can abort it, or recognise the output as
    /// the job's own. What an earlier fence named must be settled before.
    pub async fn fence(&mut self, fence: Fence) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.fence(fence.clone(), now)).await
    }

    /// Writes the fence again, to show progress while the store is slow.
    pub async fn renew_fence(&mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.enter(Stage::Publishing, now)).await
    }

    /// Records that the output named by an earlier attempt's fence has not appeared and never will.
    pub async fn settle_fence(&mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.settle(now)).await
    }

    /// Like [`Self::settle_fence`], but stored together with the next write.
    pub fn mark_fence_settled(&mut self) {
        self.run = self.run.settle(self.run.changed);
    }

    /// Ends the job as failed for good, after the output of the attempt that vanished is known not to have appeared.
    pub async fn dead_letter(self) -> Result<Run, ClaimError> {
        let now = self.broker.now();
        self.end(|run| run.dead_letter(now)).await
    }

    /// Ends the job as completed: the output is at its final key.
    pub async fn complete(self, report: Report) -> Result<Run, ClaimError> {
        let completed = self.record_completed(report).await?;
        let run = completed.run().clone();
        completed.ack().await?;
        Ok(run)
    }

    /// Ends the job as kept: the original is the better result.
    pub async fn keep(self, report: KeptReport) -> Result<Run, ClaimError> {
        let now = self.broker.now();
        self.end(|run| run.keep(report.clone(), now)).await
    }

    /// Records the job as completed. Its message is not acknowledged yet: if this worker dies before it has done what
    /// follows from the completion, another one gets the message.
    pub async fn record_completed(mut self, report: Report) -> Result<CompletedJob, ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.complete(report.clone(), now)).await?;
        let job = self.run.job.clone();
        Ok(CompletedJob::new(
            self.broker,
            self.message,
            job,
            self.run,
            self.revision,
        ))
    }

    /// Ends the attempt with the job split into parts, which are enqueued: the job goes on once all of them are done.
    /// This uses up no attempt.
    pub async fn split(mut self, parts: u32) -> Result<Run, ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.split(parts, now)).await?;
        // Looked at after the write: a message that was sent for the last part before it was dropped.
        self.broker.look_after_split(&self.run).await?;
        self.broker.ack(&self.message).await?;
        Ok(self.run)
    }

    /// Ends the attempt with the split of the job given up, for this reason: the job waits in the lane of its encoder, to be
    /// encoded as a whole. This uses up no attempt.
    pub async fn unsplit(mut self, why: &str) -> Result<Run, ClaimError> {
        let broker = self.broker.clone();
        let job = self.run.job.id;
        let lane = broker.write_given_up(&job, Part::Whole, why).await?;
        let Some(lane) = lane else {
            // The plan is gone: whoever gets the job next makes a new one.
            self.release().await?;
            return Err(ClaimError::Elsewhere);
        };
        let now = broker.now();
        let next = |run: &Run| run.unsplit(&lane, now).unwrap_or_else(|| run.clone());
        // Written first: the message of a job that a worker owns is dropped. If this worker dies in between, its own
        // message comes again, and is forwarded.
        self.write(next).await?;
        broker.send_whole(&self.run).await?;
        broker.ack(&self.message).await?;
        Ok(self.run)
    }

    /// Ends the attempt as failed: the job waits for its next attempt, or has failed for good.
    pub async fn fail(self, failure: Failure) -> Result<Run, ClaimError> {
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

    /// Releases the job unharmed: another worker can claim it at once.
    pub async fn release(mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.release(now)).await?;
        let _ = self.message.ack_with(AckKind::Nak(None)).await;
        // The message stays where it was, which is elsewhere for a join.
        let place = JobSubject::parse(&self.message.subject);
        let lane = place.map_or_else(|| self.lane(), |place| place.lane);
        Ok(self.broker.wake(&lane).await?)
    }

    /// Acknowledges the message of a job that a person cancelled while it ran.
    pub async fn ack(self) {
        let acknowledged = async {
            if !self.run.job.id.is_whole() {
                self.broker.give_up_part(&self.run.job.id).await?;
            }
            self.broker.ack(&self.message).await
        };
        if let Err(error) = acknowledged.await {
            tracing::debug!(%error, "not acknowledged; the next delivery is dropped");
        }
    }

    /// Writes and records how the attempt ended, then acknowledges the message. By then the run decides: if the ack
    /// is lost, the message is delivered once more, and the worker that gets it drops it.
    async fn end(mut self, next: impl Fn(&Run) -> Run) -> Result<Run, ClaimError> {
        self.write(next).await?;
        if let RunState::Waiting { until, .. } = self.run.state {
            let later = subject::later(&self.run.job.id);
            let mut message = scheduled(&self.run.job, later, &self.lane(), until);
            // The next attempt stands beside this one.
            spans::inject(&self.context, &mut message.headers);
            self.broker.store_message(message).await?;
        }
        // On the heap: most attempts end otherwise.
        if !Box::pin(self.broker.settle_failed(&self.run)).await? {
            self.broker.nak_later(&self.message, LOOK_AGAIN).await?;
            return Ok(self.run);
        }
        self.broker.ack(&self.message).await?;
        if self.run.state.is_terminal() && self.run.job.fallbacks.is_some() {
            self.broker.sweep(&self.run.job.id, self.revision).await?;
        }
        Ok(self.run)
    }
}

/// Wait after `spent` failed attempts: `first` after one, and twice as long after each further one; `share`, from 0
/// to 1, says how much of the jitter is added.
fn retry_wait(first: SignedDuration, spent: u32, share: f64) -> SignedDuration {
    let doubled = 1_i32 << spent.saturating_sub(1).min(16);
    first
        .saturating_mul(doubled)
        .min(LONGEST_RETRY)
        .mul_f64(1.0 + JITTER * share)
}

/// A random number from 0 to 1.
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
