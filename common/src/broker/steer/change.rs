//! Changes of a job by a person: cancel, move, retry.
//!
//! One compare-and-set of the run decides each change. The steps after it (sending and removing messages, the notice
//! to the owner) may be interrupted at any point: the worker that gets the job's messages next reads the run and does
//! the rest.

use std::time::Duration;

use tokio::time::Instant;

use crate::broker::queue::messages;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::queue::trace;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::event::Event;
use crate::job::id::JobId;
use crate::job::run::{Requeue, Run, RunState};
use crate::job::split::Split;
use crate::submit::output_job::ClaimHolder;

/// Wait between two looks at a job whose output is about to appear.
const LOOK: Duration = Duration::from_millis(200);
/// How long such a job is awaited, by the local clock: timestamps of other machines do not count.
const APPEARING: Duration = Duration::from_secs(5);

/// The result of a change of one job.
#[derive(Clone, Debug, PartialEq)]
pub enum SteerResult {
    /// The change is made; holds the run after it.
    Done(Box<Run>),
    /// Nothing was changed, because the run's state does not allow it.
    TooLate(Box<Run>),
    /// The job is unknown.
    Unknown,
    /// Nothing was changed: the job's output belongs to another live job by now.
    OutputTaken(ClaimHolder),
    /// Nothing was changed, for this reason.
    Refused(String),
}

/// Refuses a change of a part of a split job: its job decides about it.
fn refuse_part(job: &JobId) -> Option<SteerResult> {
    (!job.is_whole()).then(|| {
        let whole = job.whole();
        SteerResult::Refused(format!(
            "{job} is a part of job {whole}, and changes with it: name {whole}"
        ))
    })
}

impl Broker {
    /// Cancels a job that waits or runs. If its output is about to appear, waits for a while, and then returns
    /// [`SteerResult::TooLate`]: a cancelled job never has an output.
    pub async fn cancel(&self, job: &JobId) -> Result<SteerResult, BrokerError> {
        if let Some(refused) = refuse_part(job) {
            return Ok(refused);
        }
        // The owner may still be finding out whether an earlier attempt's output has appeared.
        let is_early = |run: &Run| run.is_publishing() || run.may_appear();
        loop {
            let Some(found) = self.steerable(job, is_early).await? else {
                return Ok(SteerResult::Unknown);
            };
            let Some(next) = found.run.cancel(self.now()) else {
                return Ok(SteerResult::TooLate(Box::new(found.run)));
            };
            if let Write::Done(revision) = self
                .record_run(&next, found.revision, Tries::ForAMinute)
                .await?
            {
                self.notify_owner(job).await;
                self.sweep(job, revision).await?;
                self.end_parts(&next).await?;
                return Ok(SteerResult::Done(Box::new(next)));
            }
        }
    }

    /// Moves a job to another queue, another priority, or both. A running job stops and starts anew if its queue
    /// changes; for a change of its priority alone it is too late. The parts of a split job move along.
    pub async fn move_job(
        &self,
        job: &JobId,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<SteerResult, BrokerError> {
        if let Some(refused) = refuse_part(job) {
            return Ok(refused);
        }
        let moved = self.move_one(job, queue, priority).await?;
        if let SteerResult::Done(run) = &moved
            && run.job.split != Split::Off
            && !matches!(run.state, RunState::Split { .. })
        {
            self.move_parts(job, queue, priority).await?;
        }
        Ok(moved)
    }

    /// Moves a job or a part.
    pub(crate) async fn move_one(
        &self,
        job: &JobId,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<SteerResult, BrokerError> {
        loop {
            let Some(found) = self.steerable(job, Run::is_publishing).await? else {
                return Ok(SteerResult::Unknown);
            };
            if let RunState::Split { .. } = found.run.state {
                match self.move_split(&found, queue, priority).await? {
                    Some(run) => return Ok(SteerResult::Done(Box::new(run))),
                    None => continue,
                }
            }
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
            let Write::Done(_) = self
                .record_run(&next, found.revision, Tries::ForAMinute)
                .await?
            else {
                continue;
            };
            if found.revision == 0 {
                self.record_event(&Event::queued(&found.run)).await;
            }
            if is_running {
                self.notify_owner(job).await;
            }
            let message = messages::pending(&next.job, &lane);
            let headers = old.first().map(|stored| &stored.headers);
            self.store_message(trace::carry(headers, message)).await?;
            for stored in old {
                self.remove_messages(&stored.subject, Some(stored.sequence))
                    .await?;
            }
            if matches!(
                next.state,
                RunState::Queued {
                    by: Requeue::Person
                }
            ) {
                self.open_fallbacks(&next.job, &lane, next.job.enqueued)
                    .await?;
            }
            return Ok(SteerResult::Done(Box::new(next)));
        }
    }

    /// Retries a job that failed or was cancelled, with all its attempts. A job whose run is broken starts anew, from
    /// its dead letter or its message in the queue.
    ///
    /// # Errors
    /// [`BrokerError::BrokenRun`] if neither a dead letter nor a message tells what the job was.
    pub async fn retry(&self, job: &JobId) -> Result<SteerResult, BrokerError> {
        if let Some(refused) = refuse_part(job) {
            return Ok(refused);
        }
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
        self.remove_dead_letter_of(job, found.revision).await?;
        // The message is stored first: a waiting run without a message would wait for ever.
        let message = messages::retry(&next.job, &lane, found.revision);
        self.store_message(trace::create(&next.job, &lane, message))
            .await?;
        // On a conflict, a worker was quicker and has written the run already.
        let written = self
            .record_run(&next, found.revision, Tries::ForAMinute)
            .await?;
        if let Some(holder) = self.claim_output_again(&next.job).await? {
            // Another job claimed the output before this one was live again.
            self.cancel(job).await?;
            return Ok(SteerResult::OutputTaken(holder));
        }
        if let Write::Done(_) = written {
            self.open_fallbacks(&next.job, &lane, self.now()).await?;
        }
        Ok(SteerResult::Done(Box::new(next)))
    }

    /// The run of a job that may be changed; a job without a run gets one with revision 0. If `is_early` holds for
    /// the run, waits for a while until it does not.
    async fn steerable(
        &self,
        job: &JobId,
        is_early: impl Fn(&Run) -> bool,
    ) -> Result<Option<Versioned>, BrokerError> {
        let give_up = Instant::now() + APPEARING;
        loop {
            let Some(found) = self.confirmed_run(job).await? else {
                return Ok(self
                    .unclaimed(job)
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

    /// Removes all that the broker stores about a job. Only for the single user of a private broker: a worker that
    /// runs the job gets no notice.
    pub async fn forget(&self, job: &JobId) -> Result<(), BrokerError> {
        let run = self.versioned_run(job).await?.map(|found| found.run);
        let known = match run {
            Some(run) => Some(run),
            None => self.unclaimed(job).await?,
        };
        if let Some(known) = known {
            self.forget_output(&known.job).await?;
        }
        let plan = self.plan(job).await?;
        for stored in self.messages(job).await? {
            self.remove_messages(&stored.subject, None).await?;
        }
        self.forget_run(job, u64::MAX).await?;
        match plan {
            Some(plan) => self.forget_split(&plan).await,
            None => Ok(()),
        }
    }
}
