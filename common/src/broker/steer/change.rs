//! A person changes their mind about a job: cancel, move, try again.
//!
//! Each is decided by one compare-and-set of the run; what follows it (messages
//! sent and removed, the owner told) may be broken off anywhere: whoever meets
//! the job's messages next reads the run and does what is left to do.

use std::time::Duration;

use tokio::time::Instant;

use crate::broker::queue::messages;
use crate::broker::queue::outputs::ClaimHolder;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::event::Event;
use crate::job::id::JobId;
use crate::job::run::{Requeue, Run, RunState};
use crate::names::subject;
use crate::names::subject::RUNS;

/// Wait between two looks at a job that is just being published.
const LOOK: Duration = Duration::from_millis(200);
/// How long such a job is waited for, by the clock of whoever waits: what other
/// clocks say of it does not count.
const APPEARING: Duration = Duration::from_secs(5);

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
    OutputTaken(ClaimHolder),
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
            if let Write::Done(revision) =
                self.commit_run(&next, found.revision, Tries::Some).await?
            {
                self.notify_owner(job).await;
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
            let Write::Done(_) = self.commit_run(&next, found.revision, Tries::Some).await? else {
                continue;
            };
            if found.revision == 0 {
                self.record_event(&Event::queued(&found.run)).await;
            }
            if is_running {
                self.notify_owner(job).await;
            }
            self.send_to(&next.job, &lane).await?;
            for stored in old {
                self.remove_messages(&stored.subject, Some(stored.sequence))
                    .await?;
            }
            if matches!(
                next.state,
                RunState::Queued {
                    by: Requeue::Operator
                }
            ) {
                self.open_fallbacks(&next.job, &lane, next.job.enqueued)
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
        self.store_message(messages::retry(&next.job, &lane, found.revision))
            .await?;
        // A worker that was quicker has written it already.
        if let Write::Done(_) = self.commit_run(&next, found.revision, Tries::Some).await? {
            self.remove_dead_letter(job, None).await?;
            self.open_fallbacks(&next.job, &lane, self.now()).await?;
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

    /// Forgets a job altogether, as if nobody had ever enqueued it. For whoever
    /// has the broker to themselves: a worker that is at it is not told.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn forget(&self, job: &JobId) -> Result<(), BrokerError> {
        let run = self.versioned_run(job).await?.map(|found| found.run);
        let known = match run {
            Some(run) => Some(run),
            None => self.untaken(job).await?,
        };
        if let Some(known) = known {
            self.forget_output(&known.job).await?;
        }
        for stored in self.messages(job).await? {
            self.remove_messages(&stored.subject, None).await?;
        }
        // Past the key-value API, which would leave a marker in its place.
        let run = subject::kv(RUNS, &subject::run(job));
        self.nats.purge(&subject::bucket(RUNS), &run, None).await
    }
}
