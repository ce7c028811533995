//! The parts of split jobs that are under way. Bounded, however many there are.

use std::collections::HashMap;

use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::Run;
use common::matching::parts::{PartRow, Parts};
use jiff::Timestamp;

/// The most parts that are kept. Of further jobs, only the whole is shown.
const MOST: usize = 20_000;

/// The parts of every split job, by the whole job.
#[derive(Default)]
pub(super) struct Splits {
    jobs: HashMap<JobId, Parts>,
}

impl Splits {
    /// Takes the change of a part's run; `None` if the run was deleted.
    pub(super) fn changed(&mut self, part: &JobId, run: Option<&Run>) {
        let is_known = self.knows(part);
        if !is_known && (run.is_none() || self.is_full()) {
            return;
        }
        let parts = self.jobs.entry(part.whole()).or_default();
        parts.ran(part.part(), run);
    }

    /// Takes a run of the whole job, which is split.
    pub(super) fn split(&mut self, job: &JobId, since: Timestamp, parts: u32) {
        self.jobs.entry(*job).or_default().split(since, parts);
    }

    /// Takes what the broker knows of the parts of a job.
    pub(super) fn learn(&mut self, job: &JobId, parts: Parts) {
        if self.count() + parts.len() <= MOST {
            self.jobs.entry(*job).or_default().learn(parts);
        }
    }

    /// Takes the progress of a part.
    pub(super) fn progressed(&mut self, progress: Progress) {
        if let Some(parts) = self.jobs.get_mut(&progress.job.whole()) {
            parts.progressed(progress);
        }
    }

    /// Forgets the parts of a job.
    pub(super) fn remove(&mut self, job: &JobId) {
        self.jobs.remove(job);
    }

    /// Forgets the parts of jobs that are not under way.
    pub(super) fn retain(&mut self, is_under_way: impl Fn(&JobId) -> bool) {
        self.jobs
            .retain(|job, parts| is_under_way(job) || parts.is_any_running());
    }

    /// Whether the run of a part is known, or never will be.
    pub(super) fn knows(&self, part: &JobId) -> bool {
        let parts = self.jobs.get(&part.whole());
        parts.is_some_and(|parts| parts.knows(part.part()))
    }

    /// Whether there is no room for further parts.
    pub(super) fn is_full(&self) -> bool {
        self.count() >= MOST
    }

    /// The parts of a job.
    pub(super) fn of(&self, job: &JobId) -> Option<&Parts> {
        self.jobs.get(job)
    }

    /// The jobs of which a worker runs a part.
    pub(super) fn run_on<'a>(&'a self, worker: &'a WorkerName) -> impl Iterator<Item = &'a JobId> {
        let jobs = self.jobs.iter();
        jobs.filter(|(_, parts)| parts.run_on(worker))
            .map(|(job, _)| job)
    }

    /// The parts of every job that has some.
    pub(super) fn rows(&self) -> HashMap<JobId, Vec<PartRow>> {
        let rows = |(job, parts): (&JobId, &Parts)| (*job, parts.rows());
        self.jobs.iter().map(rows).collect()
    }

    fn count(&self) -> usize {
        self.jobs.values().map(Parts::len).sum()
    }
}
