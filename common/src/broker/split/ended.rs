//! Ending parts that nobody needs: their job has ended, or another run has made the same piece.

use crate::broker::nats::all_of;
use crate::broker::nats::direct::Stored;
use crate::broker::queue::messages;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::{Run, RunState};
use crate::job::split::Split;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS};

/// Whether a part is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// It is.
    Needed,
    /// Its job has ended or is encoded as a whole, or its piece is there.
    Over,
    /// Nothing is kept of the split any more.
    Forgotten,
}

impl Broker {
    /// Whether a part is still to be done.
    async fn need_of(&self, part: &JobId) -> Result<Need, BrokerError> {
        let whole = part.whole();
        let (run, state) =
            futures::try_join!(self.readable_run(&whole), self.stored_state(&whole))?;
        let lives = run.is_some_and(|run| !run.state.is_terminal());
        Ok(match state {
            None => Need::Forgotten,
            Some((state, _)) if lives && state.needs(part.part()) => Need::Needed,
            Some(_) => Need::Over,
        })
    }

    /// Whether a part is still to be done: its job lives and is split, and no run has made its piece.
    pub(crate) async fn is_needed(&self, part: &JobId) -> Result<bool, BrokerError> {
        Ok(self.need_of(part).await? == Need::Needed)
    }

    /// Whether the whole job of a part has ended, or is forgotten.
    pub(crate) async fn has_whole_ended(&self, part: &JobId) -> Result<bool, BrokerError> {
        let run = self.readable_run(&part.whole()).await?;
        Ok(run.is_none_or(|run| run.state.is_terminal()))
    }

    /// Ends the parts of a job that has ended. If this is interrupted, the other parts end by themselves: their owners
    /// look at the job with each sign of life, and their messages are dropped.
    pub(crate) async fn end_parts(&self, job: &Run) -> Result<(), BrokerError> {
        if job.job.split == Split::Off {
            return Ok(());
        }
        self.end_unfinished(&job.job.id).await
    }

    /// Ends the parts of a job that wait or run.
    pub(super) async fn end_unfinished(&self, job: &JobId) -> Result<(), BrokerError> {
        let parts = self.unfinished(job).await?;
        let mut ending = Vec::with_capacity(parts.len());
        for part in &parts {
            // On the heap: the parts of a job may be many.
            ending.push(Box::pin(self.end_part(part)));
        }
        all_of(ending).await.map(drop)
    }

    /// The parts of a job that wait or run. In a cluster, a replica that lags behind may leave some out.
    pub(super) async fn unfinished(&self, job: &JobId) -> Result<Vec<JobId>, BrokerError> {
        let Some((plan, _)) = self.stored_plan(job).await? else {
            return Ok(Vec::new());
        };
        let mut parts = self.with_messages(plan.all_parts()).await?;
        let runs: Vec<String> = plan
            .all_parts()
            .map(|part| subject::kv(RUNS, &subject::run(&part)))
            .collect();
        let bucket = subject::bucket(RUNS);
        let runs = self.nats.last_of_each(&bucket, &runs).await?;
        for stored in runs.iter().filter(|stored| !stored.is_marker) {
            let run = self.nats.read::<Run>(stored);
            parts.extend(
                run.filter(|run| !run.state.is_terminal())
                    .map(|run| run.job.id),
            );
        }
        parts.sort_unstable();
        parts.dedup();
        Ok(parts)
    }

    /// Those of the jobs that have a message in the work queue: they wait, now or for a later time, or have an owner. In a
    /// cluster, a replica that lags behind may leave some out.
    pub(crate) async fn with_messages(
        &self,
        jobs: impl Iterator<Item = JobId>,
    ) -> Result<Vec<JobId>, BrokerError> {
        let messages: Vec<String> = jobs
            .flat_map(|job| [subject::job_anywhere(&job), subject::later_anywhere(&job)])
            .collect();
        let found = self.nats.last_of_each(JOBS, &messages).await?;
        let job_of = |stored: &Stored| {
            let later = || self.nats.read::<Job>(stored).map(|job| job.id);
            subject::job_of_message(&stored.subject).or_else(later)
        };
        Ok(found.iter().filter_map(job_of).collect())
    }

    /// Ends a part that nobody needs, and tells its owner. Nothing happens if it has ended.
    pub(crate) async fn end_part(&self, part: &JobId) -> Result<(), BrokerError> {
        loop {
            let found = match self.confirmed_run(part).await? {
                Some(found) => found,
                None => match self.unclaimed(part).await? {
                    Some(run) => Versioned { run, revision: 0 },
                    None => return Ok(()),
                },
            };
            let Some(next) = found.run.cancel(self.now()) else {
                return Ok(());
            };
            let written = self
                .record_run(&next, found.revision, Tries::ForAMinute)
                .await?;
            let Write::Done(revision) = written else {
                continue;
            };
            self.notify_owner(part).await;
            // Before the messages go: until then, the part comes back by them if this program dies.
            let need = self.need_of(part).await?;
            if need == Need::Needed {
                self.redo(&next, revision).await?;
            }
            self.sweep(part, revision).await?;
            if need == Need::Forgotten {
                self.forget_run(part, revision).await?;
            }
            return Ok(());
        }
    }

    /// Enqueues an ended part again that is needed after all: its piece cannot be joined with the others, or its job was
    /// retried after the end of the job was seen, and the new attempt at the job may have found the part still under way.
    pub(super) async fn redo(&self, ended: &Run, revision: u64) -> Result<(), BrokerError> {
        let Some(next) = ended.retry(self.now()) else {
            return Ok(());
        };
        let lane = next.lane();
        self.open_lane(&lane).await?;
        self.store_message(messages::retry(&next.job, &lane, revision))
            .await?;
        // On a conflict, another program was quicker: the attempt at the job, or a worker.
        let written = self.write_run(&next, revision, Tries::ForAMinute);
        written.await.map(drop)
    }

    /// Does for the owner of a cancelled part what [`Self::end_part`] does after its write: whoever cancelled the part
    /// may have died after it.
    pub(crate) async fn give_up_part(&self, part: &JobId) -> Result<(), BrokerError> {
        let Some(found) = self.confirmed_run(part).await? else {
            return Ok(());
        };
        if matches!(found.run.state, RunState::Cancelled) && self.is_needed(part).await? {
            self.redo(&found.run, found.revision).await?;
        }
        Ok(())
    }
}
