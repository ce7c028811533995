//! Enqueueing parts.

use crate::broker::nats::all_of;
use crate::broker::nats::atomic;
use crate::broker::queue::messages;
use crate::broker::queue::runs::Tries;
use crate::broker::queue::trace::Created;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::run::Run;
use crate::job::split::{Plan, SplitState};
use crate::names::subject;
use crate::names::subject::RUNS;

/// What becomes of a part that is not done.
enum Missing {
    /// It has no run: it is enqueued, unless it waits already.
    New(Box<Job>),
    /// Its run has ended, and has this revision: the run of its next attempt.
    Ended(Box<Run>, u64),
    /// It waits or runs. The run of an owner that is gone ends with its lease.
    UnderWay,
}

impl Plan {
    /// The ids of all runs that the plan may lead to: of parts, and of second runs of chunks.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = JobId> {
        let twins = (0..).zip(&self.chunks).map(|(nth, _)| Part::Twin(nth));
        let parts = self.parts().chain(twins);
        parts.map(|part| self.job.id.with_part(part))
    }
}

impl Broker {
    /// Enqueues each part that is not done and neither waits nor runs. To be called by the owner of the whole job only.
    ///
    /// # Errors
    /// The plan was removed meanwhile, so that another attempt must make a new one; or the broker gives no answer. Then
    /// this can be repeated.
    pub async fn enqueue_parts(&self, plan: &Plan) -> Result<(), BrokerError> {
        // First of all: from now on, nobody forgets this split.
        let state = self.renew_state(plan).await?;
        let parts = plan.parts().filter(|part| state.needs(*part));
        let lane = plan.lane();
        let mut looking = Vec::new();
        for part in parts {
            looking.push(self.missing(plan.job_of(part), &lane));
        }
        let (mut new, mut ended) = (Vec::new(), Vec::new());
        for missing in all_of(looking).await? {
            match missing {
                Missing::New(job) => new.push((*job, lane.clone())),
                Missing::Ended(next, revision) => ended.push((*next, revision)),
                Missing::UnderWay => {}
            }
        }
        self.open_lane(&lane).await?;
        self.enqueue_again(&lane, &ended).await?;
        self.enqueue_new(&new).await
    }

    /// Writes the state of a split anew, unchanged.
    async fn renew_state(&self, plan: &Plan) -> Result<SplitState, BrokerError> {
        let job = &plan.job.id;
        loop {
            let Some((state, revision)) = self.stored_state(job).await? else {
                let what = format!("enqueueing the parts of job {job}");
                let gone = "its plan was removed meanwhile: another attempt makes a new one";
                return Err(BrokerError::request(what)(gone));
            };
            if self.write_state(job, &state, revision).await? {
                return Ok(state);
            }
        }
    }

    /// What becomes of a part that is not done.
    async fn missing(&self, job: Job, lane: &Lane) -> Result<Missing, BrokerError> {
        let now = self.now();
        let found = match self.confirmed_run(&job.id).await {
            Ok(None) => return Ok(Missing::New(job.into())),
            Ok(Some(found)) => found,
            Err(BrokerError::BrokenRun { revision, .. }) => {
                let next = Run::unclaimed(job, lane, now);
                return Ok(Missing::Ended(next.into(), revision));
            }
            Err(error) => return Err(error),
        };
        let next = found.run.retry(now).map(|next| Run {
            queue: lane.queue.clone(),
            priority: lane.priority,
            ..next
        });
        Ok(match next {
            Some(next) => Missing::Ended(next.into(), found.revision),
            None => Missing::UnderWay,
        })
    }

    /// Enqueues parts that have no run, unless they wait already.
    async fn enqueue_new(&self, parts: &[(Job, Lane)]) -> Result<(), BrokerError> {
        for some in parts.chunks(atomic::MOST) {
            let mut missing: Vec<&(Job, Lane)> = some.iter().collect();
            let mut waiting = self.parked_among(&missing).await?;
            let mut created = Created::default();
            loop {
                missing.retain(|(job, _)| !waiting.contains(&job.id));
                match self.publish_unless_waiting(&missing, &mut created).await? {
                    Some(found) => waiting = found,
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Enqueues parts anew: their next runs, and the revisions with which they ended.
    async fn enqueue_again(&self, lane: &Lane, parts: &[(Run, u64)]) -> Result<(), BrokerError> {
        for some in parts.chunks(atomic::MOST) {
            // The piece of a second run would count as well, once that is completed.
            let mut forgetting = Vec::new();
            for (next, _) in some {
                if let Part::Chunk(number) = next.job.id.part() {
                    let twin = next.job.id.with_part(Part::Twin(number));
                    forgetting.push(self.forget_ended(twin));
                }
            }
            all_of(forgetting).await?;
            // The messages are stored first: a waiting run without a message would wait for ever.
            let messages: Vec<_> = some
                .iter()
                .map(|(next, ended)| messages::retry(&next.job, lane, *ended))
                .collect();
            let what = format!("enqueueing {} parts again", some.len());
            self.nats.store_all(&what, messages).await?;
            let mut writing = Vec::new();
            for (next, ended) in some {
                // On a conflict, a worker was quicker and has written the run already.
                writing.push(self.write_run(next, *ended, Tries::ForAMinute));
            }
            all_of(writing).await?;
        }
        Ok(())
    }

    /// Removes the run of a part if it has ended.
    async fn forget_ended(&self, part: JobId) -> Result<(), BrokerError> {
        let Some(found) = self.confirmed_run(&part).await? else {
            return Ok(());
        };
        if !found.run.state.is_terminal() {
            return Ok(());
        }
        self.forget_run(&part, found.revision).await
    }

    /// Enqueues a second run of a chunk, because the first one takes too long. `false` if the chunk is done, or had a
    /// second run already.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn enqueue_twin(&self, plan: &Plan, chunk: u32) -> Result<bool, BrokerError> {
        let twin = Part::Twin(chunk);
        let id = plan.job.id.with_part(twin);
        let state = self.stored_state(&plan.job.id).await?;
        let is_missing = state.is_some_and(|(state, _)| state.needs(twin));
        if !is_missing || plan.chunk(twin).is_none() || self.confirmed_run(&id).await?.is_some() {
            return Ok(false);
        }
        let lane = plan.lane();
        self.open_lane(&lane).await?;
        let twin = (plan.job_of(twin), lane);
        if !self.parked_among(&[&twin]).await?.is_empty() {
            return Ok(false);
        }
        self.publish_batch(&[&twin], &mut Created::default()).await
    }

    /// The runs of all parts of a split job that were ever claimed, in the order of the plan; second runs of chunks are
    /// last.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn part_runs(&self, plan: &Plan) -> Result<Vec<Run>, BrokerError> {
        let mut reading = Vec::new();
        for part in plan.parts() {
            let id = plan.job.id.with_part(part);
            reading.push(async move { self.readable_run(&id).await });
        }
        let mut runs: Vec<Run> = all_of(reading).await?.into_iter().flatten().collect();
        let twins: Vec<String> = plan
            .all_parts()
            .filter(|id| matches!(id.part(), Part::Twin(_)))
            .map(|id| subject::kv(RUNS, &subject::run(&id)))
            .collect();
        let bucket = subject::bucket(RUNS);
        let twins = self.nats.last_of_each(&bucket, &twins).await?;
        let mut second: Vec<Run> = twins
            .iter()
            .filter(|stored| !stored.is_marker)
            .filter_map(|stored| self.nats.read(stored))
            .collect();
        second.sort_by_key(|run| run.job.id);
        runs.extend(second);
        Ok(runs)
    }

    /// The run of a job, from the leader; `None` also if it is broken.
    pub(super) async fn readable_run(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        match self.confirmed_run(job).await {
            Ok(found) => Ok(found.map(|found| found.run)),
            Err(BrokerError::BrokenRun { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
