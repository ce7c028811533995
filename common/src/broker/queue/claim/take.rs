//! Taking a delivered job, so that exactly one worker owns it.

use std::time::Duration;

use async_nats::jetstream;
use jiff::SignedDuration;

use crate::broker::queue::claim::Claim;
use crate::broker::queue::claim::decide::{Incoming, LOOK_AGAIN, Step, Taking, decide};
use crate::broker::queue::delivery::NEWER;
use crate::broker::queue::messages::retry_of;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::{Delivered, Run};
use crate::wire::WireError;

/// Within this time, the run of a job is written that is to be tried again.
const MADE: SignedDuration = SignedDuration::from_secs(60);

/// What became of a delivered message.
pub(crate) enum Taken {
    /// Its job is this worker's.
    Claimed(Box<Claim>),
    /// Its job has failed for good, because its last owner vanished.
    DeadLettered(Box<Run>),
    /// The job needs nothing of this worker.
    Nothing,
}

impl Broker {
    /// Makes a delivered job this worker's run, or settles its message where the
    /// job needs nothing more of it.
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
        let incoming = Incoming {
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
        // What is delivered for the first time is most likely a job without a
        // run: the guard of the write finds out where it is not.
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
            match step {
                Step::Take(taking) => {
                    if let Some(taken) = self.write(*taking, &message, ack_wait).await? {
                        return Ok(taken);
                    }
                    // The run has just changed: look again.
                    is_confirmed = true;
                    continue;
                }
                // What was asked is answered by now.
                Step::Confirm | Step::Ask(_) => {
                    is_confirmed = true;
                    continue;
                }
                Step::Leave(wait) => self.nak_later(&message, wait).await?,
                Step::Forward(there) => {
                    self.send_to(&job, &there).await?;
                    self.ack(&message).await?;
                }
                Step::Drop => self.ack(&message).await?,
            }
            return Ok(Taken::Nothing);
        }
    }

    /// Writes a run that takes the job; `None` where somebody else wrote first.
    async fn write(
        &self,
        taking: Taking,
        message: &jetstream::Message,
        ack_wait: Duration,
    ) -> Result<Option<Taken>, BrokerError> {
        let next = taking.next;
        let job = next.job.id;
        if taking.revives {
            self.remove_dead_letter(&job, None).await?;
        }
        let held = self.owned.hold(&job, next.attempt);
        let written = self
            .commit_run(&next, taking.expected, taking.tries)
            .await?;
        let Write::Done(revision) = written else {
            return Ok(None);
        };
        if taking.tries == Tries::One {
            // In case that the owner before is still at it.
            self.notify_owner(&job).await;
        }
        if next.state.is_terminal() {
            self.ack(message).await?;
            return Ok(Some(Taken::DeadLettered(next.into())));
        }
        let run = Versioned {
            run: next,
            revision,
        };
        let claim = Claim::new(self.clone(), run, message.clone(), ack_wait, held);
        Ok(Some(Taken::Claimed(claim.into())))
    }

    /// What to do about a message where its job's run was not read.
    async fn leave_unreadable(
        &self,
        incoming: &Incoming<'_>,
        message: &jetstream::Message,
        error: BrokerError,
    ) -> Result<Taken, BrokerError> {
        match error {
            // The program that wants it tried again is about to write it anew.
            BrokerError::BrokenRun { .. }
                if incoming.retry_of.is_some() && incoming.age <= MADE =>
            {
                self.nak_later(message, LOOK_AGAIN).await?;
            }
            BrokerError::BrokenRun { source, .. } => {
                self.dead_letter_unreadable(incoming, message, &source)
                    .await?;
            }
            BrokerError::Wire { what, source } => {
                tracing::warn!(what, error = %source, "left for a newer worker");
                self.nak_later(message, NEWER).await?;
            }
            error => return Err(error),
        }
        Ok(Taken::Nothing)
    }

    /// A job whose run cannot be read: nothing can be decided about it, and it must
    /// not block its lane.
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
