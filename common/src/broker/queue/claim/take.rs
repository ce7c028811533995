//! Claiming a delivered job, so that exactly one worker owns it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use jiff::SignedDuration;

use crate::broker::queue::answers::NEWER_WAIT;
use crate::broker::queue::claim::Claim;
use crate::broker::queue::claim::completed::CompletedJob;
use crate::broker::queue::claim::decide::{Incoming, LOOK_AGAIN, Step, Taking, decide};
use crate::broker::queue::messages::retry_of;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::split::AfterParts;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::{Delivered, Run, RunState};
use crate::wire::WireError;

/// A program that asks for a retry of a job with a broken run writes the new run within this time.
const REWRITTEN_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What became of a delivered message.
pub(crate) enum Taken {
    /// The worker has claimed the job.
    Claimed(Box<Claim>),
    /// The job has failed for good, because its last owner vanished.
    DeadLettered(Box<Run>),
    /// The job is completed, and something follows from that. Its message is not acknowledged yet.
    Completed(Box<CompletedJob>),
    /// The worker has nothing to do for this job.
    Nothing,
}

/// Whether something follows from the completion of a run, once it is recorded: the master files of a ladder, what
/// comes after a part of a split job, or the removal of what is left of a split.
fn has_consequences(found: &Versioned) -> bool {
    let job = &found.run.job;
    let is_of_several = job.ladder.is_some() || !job.id.is_whole();
    found.run.report().is_some() && (is_of_several || found.run.may_have_parts())
}

impl Broker {
    /// Claims a delivered job for the worker, or settles its message if the job needs nothing of this worker.
    pub(crate) async fn claim_one(
        &self,
        lane: &Lane,
        message: jetstream::Message,
        job: Job,
        worker: &WorkerName,
        ack_wait: Duration,
    ) -> Result<Taken, BrokerError> {
        let what = || format!("message on {}", message.subject);
        let info = message.info().map_err(BrokerError::request(what()))?;
        let published = info.published.unix_timestamp_nanos();
        let mut incoming = Incoming {
            job: &job,
            lane,
            delivered: Delivered {
                sequence: info.stream_sequence,
                count: info.delivered.unsigned_abs(),
            },
            age: SignedDuration::from_nanos_i128(self.now().as_nanosecond() - published),
            retry_of: retry_of(message.headers.as_ref()),
            worker,
        };
        // A message that is delivered for the first time most likely belongs to a job without a run. If the job has
        // one, the guard of the write finds out.
        let mut is_new = info.delivered <= 1 && incoming.retry_of.is_none();
        let mut is_confirmed = false;
        loop {
            let found = if is_confirmed {
                self.confirmed_run(&job.id).await
            } else if std::mem::take(&mut is_new) {
                Ok(None)
            } else {
                self.versioned_run(&job.id).await
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => return self.leave_unreadable(&incoming, &message, error).await,
            };
            let mut step = decide(&incoming, found.as_ref(), is_confirmed, self.now());
            if let Step::Ask(asking) = step {
                let owner = self.owner(&asking.owner, &job.id, asking.attempt).await?;
                step = asking.answered(owner, ack_wait);
            }
            // Nobody claims a part whose job has ended, or whose piece is there.
            let takes_part = matches!(step, Step::Take(_)) && !job.id.is_whole();
            if takes_part && !self.is_needed(&job.id).await? {
                Box::pin(self.end_part(&job.id)).await?;
                step = Step::Drop;
            }
            let step = match step {
                Step::Join(taking) => match self.after_parts(&job.id).await? {
                    AfterParts::Wait => Step::Drop,
                    AfterParts::Whole(there) if there.queue != lane.queue => Step::Forward(there),
                    _ => Step::Take(taking),
                },
                step => step,
            };
            match step {
                Step::Take(taking) => {
                    if let Some(taken) = self.write(*taking, &message, ack_wait).await? {
                        return Ok(taken);
                    }
                    // The run has just changed: read it again.
                    is_confirmed = true;
                    continue;
                }
                // The question was just answered.
                Step::Confirm | Step::Ask(_) | Step::Join(_) => {
                    is_confirmed = true;
                    continue;
                }
                Step::Leave(wait) => self.nak_later(&message, wait).await?,
                Step::Forward(there) => {
                    self.send_to(&job, &there).await?;
                    self.ack(&message).await?;
                }
                // Whoever completed the job may have died before it could do what follows.
                Step::Drop if found.as_ref().is_some_and(has_consequences) => {
                    let Some(Versioned { run, revision }) = found else {
                        continue;
                    };
                    let message = Arc::new(message);
                    let done = CompletedJob::new(self.clone(), message, job, run, revision);
                    return Ok(Taken::Completed(done.into()));
                }
                Step::Drop => {
                    let Some(Versioned { run, revision }) = found else {
                        self.ack(&message).await?;
                        return Ok(Taken::Nothing);
                    };
                    // Whoever cancelled the part may have died before it saw that the job was retried meanwhile.
                    let is_cancelled = matches!(run.state, RunState::Cancelled);
                    if is_cancelled && !job.id.is_whole() && self.is_needed(&job.id).await? {
                        incoming.retry_of = Some(revision);
                        continue;
                    }
                    self.settle_ended(&run, &message).await?;
                }
            }
            return Ok(Taken::Nothing);
        }
    }

    /// Writes a run that claims the job; `None` if another program wrote first.
    async fn write(
        &self,
        taking: Taking,
        message: &jetstream::Message,
        ack_wait: Duration,
    ) -> Result<Option<Taken>, BrokerError> {
        let next = taking.next;
        let job = next.job.id;
        if taking.revives && job.is_whole() {
            self.remove_dead_letter_of(&job, taking.expected).await?;
        }
        let held = self.owned.hold(&job, next.attempt);
        let written = self
            .record_run(&next, taking.expected, taking.tries)
            .await?;
        let Write::Done(revision) = written else {
            return Ok(None);
        };
        if taking.tries == Tries::One {
            // The owner before may still run the job.
            self.notify_owner(&job).await;
        }
        if next.state.is_terminal() {
            self.settle_ended(&next, message).await?;
            return Ok(Some(match job.is_whole() {
                true => Taken::DeadLettered(next.into()),
                false => Taken::Nothing,
            }));
        }
        let run = Versioned {
            run: next,
            revision,
        };
        let claim = Claim::new(self.clone(), run, message.clone(), ack_wait, held);
        claim.record_wait();
        Ok(Some(Taken::Claimed(claim.into())))
    }

    /// Settles the message of a job that needs no further delivery of it, once what follows from its failure is done.
    async fn settle_ended(
        &self,
        run: &Run,
        message: &jetstream::Message,
    ) -> Result<(), BrokerError> {
        // On the heap: few jobs end so.
        match Box::pin(self.settle_failed(run)).await? {
            true => self.ack(message).await,
            false => self.nak_later(message, LOOK_AGAIN).await,
        }
    }

    /// Settles a message if its job's run was not read.
    async fn leave_unreadable(
        &self,
        incoming: &Incoming<'_>,
        message: &jetstream::Message,
        error: BrokerError,
    ) -> Result<Taken, BrokerError> {
        match error {
            // The program that asks for the retry is about to write the run anew.
            BrokerError::BrokenRun { .. }
                if incoming.retry_of.is_some() && incoming.age <= REWRITTEN_WITHIN =>
            {
                self.nak_later(message, LOOK_AGAIN).await?;
            }
            BrokerError::BrokenRun { source, .. } => {
                self.dead_letter_unreadable(incoming, message, &source)
                    .await?;
            }
            BrokerError::Wire { what, source } => {
                tracing::warn!(what, error = %source, "left for a newer worker");
                self.nak_later(message, NEWER_WAIT).await?;
            }
            error => return Err(error),
        }
        Ok(Taken::Nothing)
    }

    /// Moves a job whose run cannot be read to the dead letters: no program can decide about it, and it must not
    /// block its lane.
    async fn dead_letter_unreadable(
        &self,
        incoming: &Incoming<'_>,
        message: &jetstream::Message,
        why: &WireError,
    ) -> Result<(), BrokerError> {
        let job = incoming.job;
        tracing::error!(job = %job.id, %why, "its run is broken: moved to the dead letters");
        self.store_dead_letter(&self.unreadable_run(job, incoming.lane, why))
            .await?;
        self.ack(message).await
    }
}
