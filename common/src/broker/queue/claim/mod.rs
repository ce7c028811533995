//! A claim: a job that one worker owns, and the writes that only its owner may make.

pub(crate) mod decide;
pub(crate) mod lease;
pub(crate) mod owner;
pub(crate) mod take;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use jiff::SignedDuration;

use crate::broker::queue::claim::owner::Held;
use crate::broker::queue::messages::scheduled;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::run::fence::Fence;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState, Stage};
use crate::names::subject;
use crate::wire;

/// No retry waits longer than this.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// A job that came to nothing by what passes is tried again after so long at
/// the latest: trouble that is over must be found out.
const LONGEST_PASSING: SignedDuration = SignedDuration::from_mins(1);
/// Up to so much more, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// A job that this worker owns, until a write says otherwise.
#[derive(Clone)]
pub struct Claim {
    broker: Broker,
    run: Run,
    revision: u64,
    /// Writes whose end was not awaited, as they were sent: each may have come through.
    unheard: Vec<Bytes>,
    message: Arc<jetstream::Message>,
    ack_wait: Duration,
    /// By this the worker knows for whom it speaks when somebody asks.
    _held: Arc<Held>,
}

/// The run is no longer this worker's.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another worker took it over, or a person decided otherwise.
    #[error("the job is no longer this worker's")]
    Elsewhere,
    /// The broker refuses.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Claim {
    fn new(
        broker: Broker,
        Versioned { run, revision }: Versioned,
        message: jetstream::Message,
        ack_wait: Duration,
        held: Held,
    ) -> Self {
        Self {
            broker,
            run,
            revision,
            unheard: Vec::new(),
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

    /// The lane that it was taken from.
    pub fn lane(&self) -> Lane {
        self.run.lane()
    }

    /// Time from one renewal of the fence to the next.
    pub fn renewal(&self) -> Duration {
        self.ack_wait / 3
    }

    /// Tells the broker that the job is being worked on. Says nothing about
    /// who owns it: the broker accepts this from anyone.
    async fn keep_alive(&self) -> Result<(), BrokerError> {
        let what = || format!("telling that job {} is worked on", self.run.job.id);
        let nats = &self.broker.nats;
        nats.answer(what, &self.message, AckKind::Progress).await
    }

    /// Writes the next state of the run, where it is still this worker's. It may be
    /// dropped half-way: the next write finds out what became of this one.
    async fn write(&mut self, next: impl Fn(&Run) -> Run) -> Result<(), ClaimError> {
        loop {
            let run = next(&self.run);
            self.unheard.push(wire::encode(&run));
            let (broker, expected) = (&self.broker, self.revision);
            // What stays this worker's is no news.
            let written = if matches!(run.state, RunState::Running { .. }) {
                broker.write_run(&run, expected, Tries::Endless).await?
            } else {
                broker.commit_run(&run, expected, Tries::Endless).await?
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
    async fn catch_up(&mut self) -> Result<(), ClaimError> {
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
        Err(ClaimError::Elsewhere)
    }

    /// The fence: from here on only the owner goes on, to make its output appear.
    /// It names what appears and how, for a successor to abort it or to
    /// know it for the job's own; what was named before is settled by now.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn fence(&mut self, fence: Fence) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.fence(fence.clone(), now)).await
    }

    /// Writes the fence anew, while the store takes its time.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn renew_fence(&mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.enter(Stage::Publishing, now)).await
    }

    /// Writes down that what an earlier attempt was about to make appear has not
    /// appeared, and never will.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn settle_fence(&mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.settle(now)).await
    }

    /// The same, to be written with whatever is written next.
    pub fn mark_fence_settled(&mut self) {
        self.run = self.run.settle(self.run.changed);
    }

    /// The job has failed for good: the output of the attempt that vanished has
    /// not appeared.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn dead_letter(self) -> Result<Run, ClaimError> {
        let now = self.broker.now();
        self.end(|run| run.dead_letter(now)).await
    }

    /// The output is at its final key: the job is done.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn complete(self, report: Report) -> Result<Run, ClaimError> {
        let now = self.broker.now();
        self.end(|run| run.complete(report.clone(), now)).await
    }

    /// The attempt failed: the job waits for its next one, or has failed for good.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
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

    /// Gives the job back unharmed, for another worker to take at once.
    ///
    /// # Errors
    /// Where the job is no longer this worker's.
    pub async fn release(mut self) -> Result<(), ClaimError> {
        let now = self.broker.now();
        self.write(|run| run.hand_back(now)).await?;
        let _ = self.message.ack_with(AckKind::Nak(None)).await;
        Ok(self.broker.wake(&self.lane()).await?)
    }

    /// Lets go of a job that a person cancelled while it ran.
    pub async fn ack(self) {
        if let Err(error) = self.broker.ack(&self.message).await {
            tracing::debug!(%error, "its message will be dropped when it comes back");
        }
    }

    /// Writes and records how the attempt ended, and lets go of its message. The
    /// run has the say by then: an acknowledgement that is lost only brings the
    /// message back once more, to be settled by whoever gets it.
    async fn end(mut self, next: impl Fn(&Run) -> Run) -> Result<Run, ClaimError> {
        self.write(next).await?;
        if let RunState::Waiting { until, .. } = self.run.state {
            let later = subject::later(&self.run.job.id);
            let message = scheduled(&self.run.job, later, &self.lane(), until);
            self.broker.store_message(message).await?;
        }
        self.broker.ack(&self.message).await?;
        if self.run.state.is_terminal() && self.run.job.fallbacks.is_some() {
            self.broker.sweep(&self.run.job.id, self.revision).await?;
        }
        Ok(self.run)
    }
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
