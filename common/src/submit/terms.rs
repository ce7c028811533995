//! What holds for all jobs of one submission.

use uuid::Uuid;

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::job::sidecar::Sidecars;
use crate::job::work::Work;
use crate::job::{Fallbacks, Job};
use crate::recipe::Recipe;
use crate::rules::Rules;

/// How jobs are made, and what they may replace.
#[derive(Clone, Debug)]
pub struct JobTerms {
    /// Further queues that open to a waiting job.
    pub fallbacks: Option<Fallbacks>,
    /// The only worker that may run the jobs; `None` for any worker.
    pub worker: Option<WorkerName>,
    /// The priority of the jobs.
    pub priority: Priority,
    /// How many attempts a job has, crashes of workers included.
    pub attempts: u32,
    /// Whether to start new jobs even for work that is done already.
    pub again: bool,
    /// Whether to replace existing output files.
    pub overwrite: bool,
    /// Which ended jobs are replaced by new ones.
    pub renew: Renew,
    /// When the original is the better result.
    pub rules: Rules,
    /// What becomes of the files beside the sources.
    pub sidecars: Sidecars,
}

/// Which ended jobs are replaced by new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renew {
    /// None.
    Never,
    /// Completed jobs whose output is missing.
    Gone,
    /// Completed jobs whose output is missing or changed, and failed or cancelled jobs.
    Ended,
}

impl Default for JobTerms {
    fn default() -> Self {
        Self::new()
    }
}

impl JobTerms {
    /// The terms that hold unless a person asks for others: no file and no job is replaced.
    pub fn new() -> Self {
        Self {
            fallbacks: None,
            worker: None,
            priority: Priority::default(),
            attempts: Job::ATTEMPTS,
            again: false,
            overwrite: false,
            renew: Renew::Never,
            rules: Rules::default(),
            sidecars: Sidecars::default(),
        }
    }

    /// Whether jobs may replace the files at their outputs.
    pub fn replaces(&self) -> bool {
        self.overwrite || self.again
    }

    /// The lane that jobs of this recipe are enqueued in.
    pub fn lane(&self, recipe: &Recipe) -> Lane {
        Lane {
            priority: self.priority,
            queue: match &self.worker {
                Some(worker) => Queue::On(worker.clone()),
                None => recipe.queue(),
            },
        }
    }

    /// The job that does this work.
    pub(crate) fn job(&self, batch: BatchId, work: Work) -> Job {
        let salt = self.again.then(Uuid::now_v7);
        let work = Work {
            rules: self.rules.clone(),
            ..work
        };
        Job {
            sidecars: self.sidecars,
            attempts: self.attempts,
            replace: work.kind.writes() && self.replaces(),
            fallbacks: self.fallbacks.clone(),
            ..Job::of(batch, work, salt)
        }
    }
}
