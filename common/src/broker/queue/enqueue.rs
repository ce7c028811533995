//! Enqueueing: atomic batches, each job at most once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::broker::nats::atomic;
use crate::broker::nats::message::Message;
use crate::broker::queue::messages::{fallbacks, first};
use crate::broker::queue::outputs::{ClaimHolder, FRESH};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::{JOBS, PARKED, RUNS};

/// From so many jobs on a queue counts as long.
const LONG: usize = 5000;

/// How long a replica gets to hear of jobs that its leader has, before it is asked again,
const LAG: Duration = Duration::from_millis(100);
/// and how often.
const MOST_IN_VAIN: u32 = 50;

/// What became of a job that was to be enqueued.
#[derive(Clone, Debug, PartialEq)]
pub enum EnqueueResult {
    /// It waits in its queue now.
    Added,
    /// It was waiting already.
    AlreadyPending,
    /// It has been taken before; it ended, or is under way.
    Known(Box<Run>),
    /// Refused: its output belongs to another job, which waits or runs.
    OutputTaken(ClaimHolder),
}

/// A job with what became of it.
pub type Enqueued = (JobId, EnqueueResult);

/// Jobs that are about to be published together.
struct Prepared<'a> {
    /// All of them.
    jobs: &'a [(Job, Lane)],
    /// What is known of those that were taken before.
    runs: HashMap<JobId, Run>,
    /// The others, each once.
    seen: HashSet<JobId>,
    /// Those that are to be published.
    missing: Vec<&'a (Job, Lane)>,
    /// Those that wait already.
    pending: HashSet<JobId>,
    /// Those whose output is another's.
    taken: HashMap<JobId, ClaimHolder>,
    /// When the outputs of those that are missing were claimed.
    claimed: Instant,
}

impl Prepared<'_> {
    /// These wait already.
    fn leave_out(&mut self, waiting: HashSet<JobId>) {
        self.missing.retain(|(job, _)| !waiting.contains(&job.id));
        self.pending.extend(waiting);
    }

    /// What became of each, once those that were missing are published.
    fn outcomes(mut self) -> Vec<Enqueued> {
        let mut outcome = |job: &Job| match self.runs.get(&job.id) {
            Some(run) => EnqueueResult::Known(Box::new(run.clone())),
            None => match self.taken.get(&job.id) {
                Some(holder) => EnqueueResult::OutputTaken(holder.clone()),
                // Of one that is named twice, the first is the one that was published.
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

impl Broker {
    /// Enqueues jobs in one lane each, those that are missing only. `on_added`
    /// hears how many have been dealt with so far.
    ///
    /// # Errors
    /// Where the broker gives no answer; what was reported by `on_added`
    /// until then is enqueued, and enqueueing the same jobs again is safe.
    pub async fn enqueue(
        &self,
        jobs: &[(Job, Lane)],
        mut on_added: impl FnMut(usize),
    ) -> Result<Vec<Enqueued>, BrokerError> {
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
        if jobs.len() >= LONG {
            self.insert_front_marker().await?;
        }
        // Those of paused batches wait as well, where the guards do not see them.
        let is_any_parked = self.nats.first_from(JOBS, PARKED, 1).await?.is_some();
        let mut outcomes = Vec::with_capacity(jobs.len());
        let mut chunks = jobs.chunks((atomic::MOST / most_messages).max(1));
        let mut next = match chunks.next() {
            Some(chunk) => Some(self.prepare(chunk, is_any_parked).await?),
            None => None,
        };
        while let Some(prepared) = next.take() {
            // Jobs are published in their order. Meanwhile the outputs of the next ones
            // are claimed: that is another stream, which the broker serves beside.
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

    /// Publishes those of the jobs that are missing.
    async fn publish_prepared(
        &self,
        mut prepared: Prepared<'_>,
    ) -> Result<Vec<Enqueued>, BrokerError> {
        // The guards refuse a batch whole where one of its jobs waits already:
        // find those, and publish the rest. Somebody else may be enqueueing the
        // same folder, so this can take more than one turn.
        let mut in_vain = 0;
        loop {
            // Others may take an old claim for that of somebody who has died.
            if prepared.claimed.elapsed() >= FRESH {
                self.claim_for(&mut prepared).await?;
            }
            let missing = &prepared.missing;
            if missing.is_empty() || self.publish_batch(missing).await? {
                return Ok(prepared.outcomes());
            }
            let waiting = self.waiting(missing).await?;
            if waiting.is_empty() {
                // A replica may lag behind.
                in_vain += 1;
                if in_vain == MOST_IN_VAIN {
                    let what = format!("enqueueing {} jobs", missing.len());
                    return Err(BrokerError::request(what)(
                        "the broker says that one of them waits already, and not which",
                    ));
                }
                tokio::time::sleep(LAG).await;
            }
            prepared.leave_out(waiting);
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
                // It was taken before: what became of it is not to be found out.
                (Err(why), Some((job, lane))) => {
                    runs.insert(id, self.unreadable_run(job, lane, &why))
                }
                (Err(_), None) => None,
            };
        }
        Ok(runs)
    }

    /// Those of the jobs that wait, in whichever lane.
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

    /// Those of the jobs that were put aside, as their batch is paused.
    async fn parked_among(&self, jobs: &[&(Job, Lane)]) -> Result<HashSet<JobId>, BrokerError> {
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

    /// Publishes all of the jobs or none. `false` where one waits already.
    async fn publish_batch(&self, jobs: &[&(Job, Lane)]) -> Result<bool, BrokerError> {
        let what = format!("enqueueing {} jobs", jobs.len());
        let now = self.now();
        // Collected, as a borrowing closure may not be carried from thread to thread.
        let messages: Vec<Message> = jobs
            .iter()
            .flat_map(|(job, lane)| {
                std::iter::once(first(job, lane)).chain(fallbacks(job, lane, now))
            })
            .collect();
        self.nats.store_all(&what, messages).await
    }
}
