//! Reading many jobs, page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::broker::nats::direct::MOST_SUBJECTS;
use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::record::JobRecord;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS};

/// Runs that are read at once.
const PAGE: usize = 1000;

impl Broker {
    /// Every job, each once: those that were taken, and where wanted those that
    /// nobody has taken yet.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn jobs(&self, with_pending: bool) -> Result<Vec<JobRecord>, BrokerError> {
        self.pick_jobs(with_pending, Some).await
    }

    /// What `pick` keeps of every job, in the order of their ids. Only what it keeps stays in memory, beside the ids.
    /// A job that changes meanwhile is shown to `pick` again, and what was kept of it before is dropped.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn pick_jobs<T>(
        &self,
        with_pending: bool,
        mut pick: impl FnMut(JobRecord) -> Option<T>,
    ) -> Result<Vec<T>, BrokerError> {
        let mut kept: BTreeMap<JobId, T> = BTreeMap::new();
        let mut parked = HashMap::new();
        if with_pending {
            let aside = self.parked_jobs().await?;
            parked.extend(aside.into_iter().map(|(job, lane)| (job.id, (job, lane))));
            let mut seen = HashSet::new();
            let mut from = 1;
            loop {
                let (page, next) = self.queued(None, from, MOST_SUBJECTS).await?;
                for pending in page {
                    let id = pending.job.id;
                    parked.remove(&id);
                    // A job that waits in several queues counts where it came first.
                    if seen.insert(id) {
                        let picked = pick(JobRecord::Pending(Box::new(pending)));
                        kept.extend(picked.map(|picked| (id, picked)));
                    }
                }
                if next == from {
                    break;
                }
                from = next;
            }
            for (id, (job, lane)) in &parked {
                let run = Run::untaken(job.clone(), lane, job.enqueued);
                let picked = pick(JobRecord::Parked(Box::new(run)));
                kept.extend(picked.map(|picked| (*id, picked)));
            }
        }
        // Read last: a job that is taken meanwhile is seen as taken.
        let mut from = 1;
        loop {
            let (runs, next) = self.runs_since(from, PAGE).await?;
            for run in runs {
                let id = run.job.id;
                let is_parked = run.state.is_waiting() && parked.contains_key(&id);
                let record = match is_parked {
                    true => JobRecord::Parked(Box::new(run)),
                    false => JobRecord::Run(Box::new(run)),
                };
                kept.remove(&id);
                kept.extend(pick(record).map(|picked| (id, picked)));
            }
            if next == from {
                return Ok(kept.into_values().collect());
            }
            from = next;
        }
    }

    /// These of all jobs, as far as anybody knows them: the same as [`job`](Self::job) for each, in as few requests as
    /// possible.
    ///
    /// # Errors
    /// Where the broker gives no answer, or a broken run's job is nowhere else.
    pub async fn jobs_of(&self, ids: &[JobId]) -> Result<HashMap<JobId, JobRecord>, BrokerError> {
        let mut found: HashMap<JobId, JobRecord> = HashMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let waiting: Vec<String> = ids
            .iter()
            .flat_map(|id| [subject::job_anywhere(id), subject::parked(id)])
            .collect();
        for stored in self.nats.last_of_each(JOBS, &waiting).await? {
            if let Some(pending) = self.pending(&stored) {
                found.insert(pending.job.id, JobRecord::Pending(Box::new(pending)));
            } else if let Some((job, lane)) = self.parked(&stored) {
                let enqueued = job.enqueued;
                let run = Box::new(Run::untaken(job, &lane, enqueued));
                found.entry(run.job.id).or_insert(JobRecord::Parked(run));
            }
        }
        // Read last: a job that is taken meanwhile is seen as taken.
        let subjects: HashMap<String, JobId> = ids
            .iter()
            .map(|id| (subject::kv(RUNS, &subject::run(id)), *id))
            .collect();
        let runs: Vec<String> = subjects.keys().cloned().collect();
        for stored in self
            .nats
            .last_of_each(&subject::bucket(RUNS), &runs)
            .await?
        {
            let Some(id) = subjects.get(&stored.subject).filter(|_| !stored.is_marker) else {
                continue;
            };
            let record = match self.nats.read::<Run>(&stored) {
                Some(run) => {
                    let is_parked = matches!(found.get(id), Some(JobRecord::Parked(_)));
                    Some(match is_parked && run.state.is_waiting() {
                        true => JobRecord::Parked(Box::new(run)),
                        false => JobRecord::Run(Box::new(run)),
                    })
                }
                // A broken run: what else is known of its job is found there.
                None => self.job(id).await?,
            };
            found.extend(record.map(|record| (*id, record)));
        }
        Ok(found)
    }
}
