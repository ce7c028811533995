//! Enqueueing: atomic batches, each job at most once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::nats::atomic;
use crate::broker::nats::message::Message;
use crate::broker::queue::messages::{fallbacks, first};
use crate::broker::queue::outputs::CLAIM_FRESH;
use crate::broker::queue::trace::Created;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::job::signature::JobSignature;
use crate::names::subject;
use crate::names::subject::{JOBS, PARKED, RUNS};
use crate::submit::output_job::ClaimHolder;

/// A queue counts as long from this many jobs on.
const LONG_QUEUE: usize = 5000;

/// Wait before a replica that lags behind its leader is asked again for pending jobs.
const LAG: Duration = Duration::from_millis(100);
/// How often such a replica is asked.
const MAX_LAGS: u32 = 50;

/// What became of a job that was to be enqueued.
#[derive(Clone, Debug, PartialEq)]
pub enum EnqueueResult {
    /// The job was added to its queue.
    Added,
    /// The job was in a queue already.
    AlreadyPending,
    /// The job has been claimed or changed before: it has ended or is under way.
    Known(Box<Run>),
    /// Refused: the output belongs to another live job.
    OutputTaken(ClaimHolder),
}

/// A job's id with its result.
pub type Enqueued = (JobId, EnqueueResult);

/// Jobs that are about to be published together.
struct Prepared<'a> {
    /// All jobs, in the caller's order.
    jobs: &'a [(Job, Lane)],
    /// Runs of the jobs that have one.
    runs: HashMap<JobId, Run>,
    /// Ids of the jobs without a run.
    seen: HashSet<JobId>,
    /// The jobs to be published, each once.
    missing: Vec<&'a (Job, Lane)>,
    /// The jobs that are pending already.
    pending: HashSet<JobId>,
    /// The jobs whose output belongs to another job, with that job.
    taken: HashMap<JobId, ClaimHolder>,
    /// When the outputs of `missing` were claimed.
    claimed: Instant,
}

impl Prepared<'_> {
    /// Moves jobs from `missing` to `pending`.
    fn leave_out(&mut self, waiting: HashSet<JobId>) {
        self.missing.retain(|(job, _)| !waiting.contains(&job.id));
        self.pending.extend(waiting);
    }

    /// The result of each job, once all of `missing` are published.
    fn outcomes(mut self) -> Vec<Enqueued> {
        let mut outcome = |job: &Job| match self.runs.get(&job.id) {
            Some(run) => EnqueueResult::Known(Box::new(run.clone())),
            None => match self.taken.get(&job.id) {
                Some(holder) => EnqueueResult::OutputTaken(holder.clone()),
                // If a job is named twice, the first counts as the one that was published.
                None if self.pending.contains(&job.id) || !self.seen.remove(&job.id) => {
                    EnqueueResult::AlreadyPending
                }
                None => EnqueueResult::Added,
            },
        };
        self.jobs
            .iter()
            .map(|(job, _)| (job.id, outcome(job)))
            .collect()
    }
}

/// Refuses jobs that no program could read: their messages would stay in the queue.
///
/// # Errors
/// [`BrokerError::UnsoundJob`] for the first of them.
pub(crate) fn check<'a>(mut jobs: impl Iterator<Item = &'a Job>) -> Result<(), BrokerError> {
    jobs.try_for_each(|job| {
        job.check().map_err(|source| BrokerError::UnsoundJob {
            output: job.output.clone(),
            source,
        })
    })
}

impl Broker {
    /// Enqueues those of the jobs that are missing, each in its lane. `on_added` is called with the number of jobs
    /// that have been dealt with so far.
    ///
    /// # Errors
    /// [`BrokerError::UnsoundJob`] before any job is enqueued; or the broker does not answer. Jobs that `on_added` had counted by then are enqueued; enqueueing the same jobs
    /// again is safe.
    pub async fn enqueue(
        &self,
        jobs: &[(Job, Lane)],
        mut on_added: impl FnMut(usize),
    ) -> Result<Vec<Enqueued>, BrokerError> {
        check(jobs.iter().map(|(job, _)| job))?;
        let mut lanes = HashSet::new();
        let mut most_messages = 1;
        for (job, lane) in jobs {
            let further = job.fallbacks.iter().flat_map(|fallbacks| &fallbacks.queues);
            most_messages = most_messages.max(1 + further.clone().count());
            lanes.extend(further.map(|queue| Lane {
                queue: queue.clone(),
                ..lane.clone()
            }));
            lanes.insert(lane.clone());
        }
        self.open_lanes(&lanes).await?;
        if jobs.len() >= LONG_QUEUE {
            self.insert_front_marker().await?;
        }
        // Jobs of paused batches wait as well, but on subjects that the guards do not cover.
        let is_any_parked = self.nats.first_from(JOBS, PARKED, 1).await?.is_some();
        let mut outcomes = Vec::with_capacity(jobs.len());
        let mut chunks = jobs.chunks((atomic::MOST / most_messages).max(1));
        let mut next = match chunks.next() {
            Some(chunk) => Some(self.prepare(chunk, is_any_parked).await?),
            None => None,
        };
        while let Some(prepared) = next.take() {
            // Jobs are published in their order. Meanwhile the outputs of the next chunk are claimed: they are in
            // another stream, which the broker serves at the same time.
            let following = async {
                match chunks.next() {
                    Some(chunk) => self.prepare(chunk, is_any_parked).await.map(Some),
                    None => Ok(None),
                }
            };
            let (published, following) = tokio::join!(self.publish_prepared(prepared), following);
            outcomes.extend(published?);
            on_added(outcomes.len());
            next = following?;
        }
        Ok(outcomes)
    }

    /// Finds out which of these jobs are to be published, and claims their outputs.
    async fn prepare<'a>(
        &self,
        jobs: &'a [(Job, Lane)],
        is_any_parked: bool,
    ) -> Result<Prepared<'a>, BrokerError> {
        let runs = self.runs_of(jobs).await?;
        let mut seen = HashSet::new();
        let fresh: Vec<&(Job, Lane)> = jobs
            .iter()
            .filter(|(job, _)| !runs.contains_key(&job.id) && seen.insert(job.id))
            .collect();
        let mut prepared = Prepared {
            jobs,
            runs,
            seen,
            missing: fresh,
            pending: HashSet::new(),
            taken: HashMap::new(),
            claimed: Instant::now(),
        };
        if is_any_parked {
            let parked = self.parked_among(&prepared.missing).await?;
            prepared.leave_out(parked);
        }
        self.claim_for(&mut prepared).await?;
        Ok(prepared)
    }

    async fn claim_for(&self, prepared: &mut Prepared<'_>) -> Result<(), BrokerError> {
        prepared.claimed = Instant::now();
        let jobs = prepared.missing.iter().map(|(job, _)| job);
        let taken = self.claim_outputs(jobs).await?;
        prepared.taken.extend(taken);
        let taken = &prepared.taken;
        prepared
            .missing
            .retain(|(job, _)| !taken.contains_key(&job.id));
        Ok(())
    }

    /// Publishes the jobs that are missing.
    async fn publish_prepared(
        &self,
        mut prepared: Prepared<'_>,
    ) -> Result<Vec<Enqueued>, BrokerError> {
        let mut created = Created::default();
        loop {
            // Another program may take an old claim for the claim of a dead program.
            if prepared.claimed.elapsed() >= CLAIM_FRESH {
                self.claim_for(&mut prepared).await?;
            }
            let published = self.publish_unless_waiting(&prepared.missing, &mut created);
            match published.await? {
                Some(waiting) => prepared.leave_out(waiting),
                None => return Ok(prepared.outcomes()),
            }
        }
    }

    /// Publishes all of these jobs, unless some of them are pending already: then none is published, and these are
    /// returned. Another program may be enqueueing the same folder, so this can take more than one turn.
    pub(crate) async fn publish_unless_waiting(
        &self,
        jobs: &[&(Job, Lane)],
        created: &mut Created,
    ) -> Result<Option<HashSet<JobId>>, BrokerError> {
        let mut lags = 0;
        loop {
            // If one of the jobs is pending already, the guards make the broker refuse the whole batch.
            if jobs.is_empty() || self.publish_batch(jobs, created).await? {
                return Ok(None);
            }
            let waiting = self.waiting(jobs).await?;
            if !waiting.is_empty() {
                created.refuse(&waiting);
                return Ok(Some(waiting));
            }
            // A replica may lag behind.
            lags += 1;
            if lags == MAX_LAGS {
                let what = format!("enqueueing {} jobs", jobs.len());
                return Err(BrokerError::request(what)(
                    "the broker says that one of them waits already, and not which",
                ));
            }
            tokio::time::sleep(LAG).await;
        }
    }

    /// The runs of those jobs that have one.
    async fn runs_of(&self, jobs: &[(Job, Lane)]) -> Result<HashMap<JobId, Run>, BrokerError> {
        let keys: Vec<String> = jobs
            .iter()
            .map(|(job, _)| subject::kv(RUNS, &subject::run(&job.id)))
            .collect();
        let found = self
            .nats
            .last_of_each(&subject::bucket(RUNS), &keys)
            .await?;
        let mut runs = HashMap::new();
        for stored in found.iter().filter(|stored| !stored.is_marker) {
            let key = stored.subject.strip_prefix(&subject::kv(RUNS, ""));
            let Some(id) = key.and_then(subject::job_of_run) else {
                continue;
            };
            let run = self.nats.try_read(&stored.subject, &stored.payload);
            let asked = jobs.iter().find(|(job, _)| job.id == id);
            match (run, asked) {
                (Ok(run), _) => runs.insert(id, run),
                // The job was claimed before, but its run cannot be read.
                (Err(why), Some((job, lane))) => {
                    runs.insert(id, self.unreadable_run(job, lane, &why))
                }
                (Err(_), None) => None,
            };
        }
        Ok(runs)
    }

    /// Those of the jobs that are pending, in whichever lane.
    async fn waiting(&self, jobs: &[&(Job, Lane)]) -> Result<HashSet<JobId>, BrokerError> {
        let anywhere: Vec<String> = jobs
            .iter()
            .map(|(job, _)| subject::job_anywhere(&job.id))
            .collect();
        Ok(self
            .nats
            .last_of_each(JOBS, &anywhere)
            .await?
            .iter()
            .filter_map(|stored| subject::job_of_message(&stored.subject))
            .collect())
    }

    /// Those of the jobs that are parked, because their batch is paused.
    pub(crate) async fn parked_among(
        &self,
        jobs: &[&(Job, Lane)],
    ) -> Result<HashSet<JobId>, BrokerError> {
        let subjects: Vec<String> = jobs
            .iter()
            .map(|(job, _)| subject::parked(&job.id))
            .collect();
        let found = self.nats.last_of_each(JOBS, &subjects).await?;
        Ok(found
            .iter()
            .filter_map(|stored| self.parked(stored))
            .map(|(job, _)| job.id)
            .collect())
    }

    /// The job with the signature of this connection's user. What is signed already, and the parts of signed jobs, stay as
    /// they are.
    fn signed<'a>(&self, job: &'a Job) -> Cow<'a, Job> {
        match &self.signer {
            Some(signer) if job.signature.is_none() && job.id.is_whole() => Cow::Owned(Job {
                signature: Some(JobSignature::of(job, signer).into()),
                ..job.clone()
            }),
            _ => Cow::Borrowed(job),
        }
    }

    /// Publishes all of the jobs or none; `false` if one is pending already.
    pub(crate) async fn publish_batch(
        &self,
        jobs: &[&(Job, Lane)],
        created: &mut Created,
    ) -> Result<bool, BrokerError> {
        let what = format!("enqueueing {} jobs", jobs.len());
        let now = self.now();
        let mut messages: Vec<Message> = Vec::with_capacity(jobs.len());
        for (job, lane) in jobs {
            let job = self.signed(job);
            let all = std::iter::once(first(&job, lane)).chain(fallbacks(&job, lane, now));
            messages.extend(all.map(|message| created.trace(&job, lane, message)));
        }
        self.nats.store_all(&what, messages).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::further::{FurtherInput, FurtherRole, Join};
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::{testing, wire};

    #[test]
    fn a_job_that_no_program_could_read_is_refused() {
        let mut job = testing::job(Choice::Codec(Codec::Hevc), 10);
        let part = FurtherInput {
            input: job.input.clone(),
            role: FurtherRole::Continuation(Join::ByRecipe),
        };
        job.further = vec![part; Job::MOST_FURTHER];
        check([&job].into_iter()).expect("sound");
        wire::decode::<Job>(&wire::encode(&job)).expect("it can be read");
        job.further.push(job.further[0].clone());
        let refused = check([&job].into_iter()).expect_err("too many");
        assert_eq!(
            refused.to_string(),
            "the job for s3://media/in/a.mkv cannot be enqueued: 1001 further inputs are more than 1000"
        );
        wire::decode::<Job>(&wire::encode(&job)).expect_err("nobody could read it");
    }
}
