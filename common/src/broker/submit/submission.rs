//! Handing jobs in: what is enqueued together is known as one batch.

use crate::broker::{Broker, BrokerError, EnqueueResult, Enqueued};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::batch::Batch;
use crate::job::id::BatchId;
use crate::names::location::Location;

/// What one order submits. Its batch is kept once there are jobs to enqueue,
/// and told at the end how many were added.
pub struct Submission<'a> {
    broker: &'a Broker,
    batch: Batch,
    is_kept: bool,
    added: u64,
}

impl Broker {
    /// Begins to submit jobs whose outputs lie below `folder`, as a batch that people
    /// know by `label`. Nothing is written before the first of them are enqueued.
    pub fn submission(&self, label: &str, folder: &Location) -> Submission<'_> {
        Submission {
            broker: self,
            batch: Batch {
                id: BatchId::new(),
                label: label.to_owned(),
                jobs: 0,
                enqueued: self.now(),
                folder: Some(folder.clone()),
            },
            is_kept: false,
            added: 0,
        }
    }
}

impl Submission<'_> {
    /// The batch that the jobs are to name.
    pub fn batch(&self) -> BatchId {
        self.batch.id
    }

    /// Enqueues jobs of the batch, each in one lane; those that are missing only.
    ///
    /// # Errors
    /// Where the broker gives no answer; what was enqueued until then stays, and
    /// enqueueing the same jobs again is safe.
    pub async fn enqueue(&mut self, jobs: &[(Job, Lane)]) -> Result<Vec<Enqueued>, BrokerError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        if !self.is_kept {
            // Before its jobs, so that none ever names a batch that nobody knows.
            self.batch.jobs = jobs.len() as u64;
            self.batch.enqueued = self.broker.now();
            self.broker.keep_batch(&self.batch).await?;
            self.is_kept = true;
        }
        let outcomes = self.broker.enqueue(jobs, |_| {}).await?;
        let added = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == EnqueueResult::Added);
        self.added += added.count() as u64;
        Ok(outcomes)
    }

    /// Corrects what is known of the batch, or forgets it where nothing was
    /// added. Returns it where something was.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn close(mut self) -> Result<Option<Batch>, BrokerError> {
        if self.added == 0 {
            if self.is_kept {
                self.broker.forget_batch(&self.batch.id).await?;
            }
            return Ok(None);
        }
        if self.batch.jobs != self.added {
            self.batch.jobs = self.added;
            self.broker.keep_batch(&self.batch).await?;
        }
        Ok(Some(self.batch))
    }
}
