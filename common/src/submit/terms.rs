//! What holds for all jobs of one submission.

use uuid::Uuid;

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::job::sidecar::Sidecars;
use crate::job::split::Split;
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
    /// Whether the films that can be split are encoded in parts.
    pub split: Split,
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
            split: Split::default(),
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
        let split = match work.may_be_split() {
            true => self.split,
            false => Split::Off,
        };
        Job {
            sidecars: self.sidecars,
            split,
            attempts: self.attempts,
            replace: work.kind.writes() && self.replaces(),
            fallbacks: self.fallbacks.clone(),
            ..Job::of(batch, work, salt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::further::{FurtherInput, FurtherRole, Join};
    use crate::job::kind::CheckDepth;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::{testing, wire};

    #[test]
    fn only_a_film_that_is_encoded_on_its_own_is_split() {
        let terms = JobTerms {
            split: Split::Auto,
            ..JobTerms::new()
        };
        let encode = testing::job(Choice::Codec(Codec::Hevc), 10).work();
        let job = terms.job(BatchId::new(), encode.clone());
        assert_eq!(job.split, Split::Auto);
        let unsplit = JobTerms::new().job(BatchId::new(), encode.clone());
        assert_eq!(job.id, unsplit.id);

        let then = FurtherInput {
            input: encode.input.clone(),
            role: FurtherRole::Continuation(Join::ByRecipe),
        };
        let joined = Work {
            further: vec![then],
            ..encode.clone()
        };
        let copied = Work {
            recipe: Recipe::copy(),
            ..encode.clone()
        };
        let check = Work::check(encode.input, CheckDepth::Full);
        for work in [joined, copied, check] {
            let job = terms.job(BatchId::new(), work);
            assert_eq!(job.split, Split::Off, "{:?}", job.kind);
            // Older workers read it as before.
            assert!(wire::Message::version(&job) < wire::SPLITS);
        }
    }
}
