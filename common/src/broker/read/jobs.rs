//! Reading many jobs, page by page.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::broker::nats::direct::MOST_SUBJECTS;
use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::record::JobRecord;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS};

/// Runs of one request.
const PAGE: usize = 1000;

impl Broker {
    /// Every job, each once: those with a run, and if `with_pending` those that no worker has claimed yet.
    pub async fn jobs(&self, with_pending: bool) -> Result<Vec<JobRecord>, BrokerError> {
        self.pick_jobs(with_pending, Some).await
    }

    /// What `pick` keeps of every job, in the order of the ids. Memory holds the kept values and the ids only. A job
    /// that changes meanwhile is given to `pick` again, and its earlier value is dropped.
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
                    // A job that waits in several queues counts in the one where it was published first.
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
                let run = Run::unclaimed(job.clone(), lane, job.enqueued);
                let picked = pick(JobRecord::Parked(Box::new(run)));
                kept.extend(picked.map(|picked| (*id, picked)));
            }
        }
        // Runs are read last: a job that is claimed meanwhile is seen as claimed.
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

    /// The records of the known ones of these jobs: as [`job`](Self::job) for each, in as few requests as possible.
    ///
    /// # Errors
    /// [`BrokerError::BrokenRun`] if neither a dead letter nor a message tells what a job was.
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
                let run = Box::new(Run::unclaimed(job, &lane, enqueued));
                found.entry(run.job.id).or_insert(JobRecord::Parked(run));
            }
        }
        // Runs are read last: a job that is claimed meanwhile is seen as claimed.
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
                // The run is broken: `job` looks for the job elsewhere.
                None => self.job(id).await?,
            };
            found.extend(record.map(|record| (*id, record)));
        }
        Ok(found)
    }
}
