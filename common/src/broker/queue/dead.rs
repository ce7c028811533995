//! Dead letters: the stored copies of jobs that failed for good.

use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::id::JobId;
use crate::job::run::{Run, RunState};
use crate::names::subject;
use crate::names::subject::{DEAD, RUNS};
use crate::wire;
use crate::wire::WireError;

impl Broker {
    /// Stores a dead letter and returns its sequence; `None` if the job already has one.
    pub(crate) async fn store_dead_letter(&self, run: &Run) -> Result<Option<u64>, BrokerError> {
        let what = format!("publishing the dead letter of job {}", run.job.id);
        let subject = subject::dead(&run.queue, &run.job.id);
        let letter = Message::new(subject, wire::encode(run)).after(0);
        match self.nats.store(&what, letter).await {
            Ok(sequence) => Ok(Some(sequence)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The dead letter of a job; `None` if the job has none that can be read.
    pub async fn dead_letter(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        let subject = subject::dead_anywhere(job);
        let found = self.nats.last_of_each(DEAD, &[subject]).await?;
        Ok(found.first().and_then(|stored| self.nats.read(stored)))
    }

    /// Removes the dead letter of a job that becomes live again, before a worker can take it. The letter goes only if the
    /// run still has the revision that was decided by: the letter of a later failure stays.
    pub(crate) async fn remove_dead_letter_of(
        &self,
        job: &JobId,
        revision: u64,
    ) -> Result<(), BrokerError> {
        // Looked up before the run, both at the leader: a letter that is stored after that is a later one.
        let last = self.nats.extent(DEAD).await?.last;
        let run = self.confirmed_payload(job).await?;
        match run.is_some_and(|(_, found)| found == revision) {
            true => self.remove_dead_letter(job, last).await,
            false => Ok(()),
        }
    }

    /// Removes the dead letter of a job if it was stored at the sequence `last` or before.
    pub(crate) async fn remove_dead_letter(
        &self,
        job: &JobId,
        last: u64,
    ) -> Result<(), BrokerError> {
        let subject = subject::dead_anywhere(job);
        self.nats.purge(DEAD, &subject, Some(last)).await
    }

    /// A job whose run cannot be read, rebuilt from its dead letter or its message in the queue.
    pub(crate) async fn known_otherwise(
        &self,
        job: &JobId,
        why: &WireError,
    ) -> Result<Option<Run>, BrokerError> {
        let known = match self.dead_letter(job).await? {
            Some(letter) => Some(letter),
            None => self.unclaimed(job).await?,
        };
        Ok(known.map(|run| self.unreadable_run(&run.job, &run.lane(), why)))
    }

    /// A stand-in for a run that cannot be read: the job counts as failed.
    pub(crate) fn unreadable_run(&self, job: &Job, lane: &Lane, why: &WireError) -> Run {
        let failure = Failure::input(format!(
            "its run ({}) cannot be read: {why}",
            subject::kv(RUNS, &subject::run(&job.id))
        ));
        Run {
            state: RunState::Failed { failure },
            ..Run::unclaimed(job.clone(), lane, self.now())
        }
    }
}
