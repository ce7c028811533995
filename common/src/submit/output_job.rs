//! The job that an output belongs to.

use std::collections::HashMap;
use std::fmt;

use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::job::run::report::Report;
use crate::job::state::JobState;
use crate::job::work::Work;
use crate::names::location::Location;
use crate::submit::terms::JobTerms;

/// The last job of each output; outputs that no known job has claimed are left out.
pub type JobsByOutput = HashMap<Location, OutputJob>;

/// The job that claimed an output last.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputJob {
    /// No worker has taken the job yet.
    Waiting(Box<Job>),
    /// The job has a run.
    Taken(Box<Run>),
}

impl OutputJob {
    /// The job itself.
    pub fn job(&self) -> &Job {
        match self {
            Self::Waiting(job) => job,
            Self::Taken(run) => &run.job,
        }
    }

    /// The state of the job.
    pub fn state(&self) -> JobState {
        match self {
            Self::Waiting(_) => JobState::Pending,
            Self::Taken(run) => JobState::from(&run.state),
        }
    }

    /// Whether the job waits or runs.
    pub fn lives(&self) -> bool {
        match self {
            Self::Waiting(_) => true,
            Self::Taken(run) => !run.state.is_terminal(),
        }
    }

    /// What the job has made, if it is completed.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Taken(run) => run.report(),
            Self::Waiting(_) => None,
        }
    }

    /// Whether the job's output is taking the place of its source: either may be there.
    pub fn is_replacing(&self) -> bool {
        matches!(self, Self::Taken(run) if run.is_replacing())
    }

    /// Whether the job has put its output in the place of its source, or is doing so.
    pub fn may_have_replaced(&self) -> bool {
        matches!(self, Self::Taken(run) if run.is_replacing() || run.has_replaced())
    }

    /// Whether the job made a file of this size.
    pub fn made(&self, size: u64) -> bool {
        self.report()
            .is_some_and(|report| report.output_size == size)
    }

    /// Whether the job is live and no other job can do this work at its output. Under terms that ask for the same work
    /// again, a live job of the same work is in the way, too. So is one with other rules, which may end otherwise.
    pub fn blocks(&self, work: &Work, terms: &JobTerms) -> bool {
        let work = Work {
            rules: terms.rules.clone(),
            ..work.clone()
        };
        self.lives() && (terms.again || !self.job().makes_the_same(&work))
    }

    /// The job as the holder of its output.
    pub fn holder(&self) -> ClaimHolder {
        self.job().into()
    }
}

/// A live job that holds the claim on an output.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimHolder {
    /// The job.
    pub job: JobId,
    /// Its input; `None` if the job cannot be read.
    pub input: Option<Location>,
}

impl From<&Job> for ClaimHolder {
    fn from(job: &Job) -> Self {
        Self {
            job: job.id,
            input: Some(job.input.location.clone()),
        }
    }
}

impl fmt::Display for ClaimHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.input {
            Some(input) => write!(
                f,
                "its output is already being made from {input} by job {}",
                self.job
            ),
            None => write!(f, "its output is already being made by job {}", self.job),
        }
    }
}
