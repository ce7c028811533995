//! Dead letters: jobs that failed for good.

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
    /// Stores a dead letter and says its sequence; `None` where there is one
    /// already, which is enough.
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

    /// The dead letter of a job; `None` where it has none that can be read.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn dead_letter(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        let subject = subject::dead_anywhere(job);
        let found = self.nats.last_of_each(DEAD, &[subject]).await?;
        Ok(found.first().and_then(|stored| self.nats.read(stored)))
    }

    /// Removes the dead letter of a job that is not dead after all; with a
    /// sequence only a letter up to that one, and none that came later.
    pub(crate) async fn remove_dead_letter(
        &self,
        job: &JobId,
        last: Option<u64>,
    ) -> Result<(), BrokerError> {
        let subject = subject::dead_anywhere(job);
        self.nats.purge(DEAD, &subject, last).await
    }

    /// A job whose run cannot be read, by its dead letter or by what waits of it.
    pub(crate) async fn known_otherwise(
        &self,
        job: &JobId,
        why: &WireError,
    ) -> Result<Option<Run>, BrokerError> {
        let known = match self.dead_letter(job).await? {
            Some(letter) => Some(letter),
            None => self.untaken(job).await?,
        };
        Ok(known.map(|run| self.unreadable_run(&run.job, &run.lane(), why)))
    }

    /// What can be said of a job whose run cannot be read: it has failed, as far as
    /// this program can tell.
    pub(crate) fn unreadable_run(&self, job: &Job, lane: &Lane, why: &WireError) -> Run {
        let failure = Failure::input(format!(
            "its run ({}) cannot be read: {why}",
            subject::kv(RUNS, &subject::run(&job.id))
        ));
        Run {
            state: RunState::Failed { failure },
            ..Run::untaken(job.clone(), lane, self.now())
        }
    }
}
