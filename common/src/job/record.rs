//! Records: what a farm knows of a job, which is a message in the queue, a parked message, or a run.

use serde::Serialize;

use crate::farm::queue::{Priority, Queue};
use crate::job::Job;
use crate::job::run::Run;
use crate::job::state::JobState;

/// A job that waits and that no worker has claimed yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pending {
    /// The job.
    pub job: Job,
    /// The queue in which it waits.
    pub queue: Queue,
    /// Its priority there.
    pub priority: Priority,
    /// Its sequence in the stream.
    pub sequence: u64,
}

/// What the farm knows of one job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobRecord {
    /// No worker has claimed the job yet.
    Pending(Box<Pending>),
    /// The job is parked, because its batch is paused; the run holds the lane to which it returns.
    Parked(Box<Run>),
    /// The job has a run.
    Run(Box<Run>),
}

impl JobRecord {
    /// The job itself.
    pub fn job(&self) -> &Job {
        match self {
            Self::Pending(pending) => &pending.job,
            Self::Parked(run) | Self::Run(run) => &run.job,
        }
    }

    /// The queue in which the job waits, or from which it was last claimed.
    pub fn queue(&self) -> &Queue {
        match self {
            Self::Pending(pending) => &pending.queue,
            Self::Parked(run) | Self::Run(run) => &run.queue,
        }
    }

    /// The job's priority.
    pub fn priority(&self) -> Priority {
        match self {
            Self::Pending(pending) => pending.priority,
            Self::Parked(run) | Self::Run(run) => run.priority,
        }
    }

    /// The job's run, if it was claimed or changed.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Pending(_) => None,
            Self::Parked(run) | Self::Run(run) => Some(run),
        }
    }

    /// Whether the job has ended: only a retry can change it.
    pub fn has_ended(&self) -> bool {
        self.run().is_some_and(|run| run.state.is_terminal())
    }

    /// The job's state.
    pub fn state(&self) -> JobState {
        match self {
            Self::Pending(_) => JobState::Pending,
            Self::Parked(_) => JobState::Paused,
            Self::Run(run) => JobState::from(&run.state),
        }
    }
}

/// How many jobs come before another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueAhead {
    /// Number of jobs.
    pub jobs: u64,
    /// Whether the jobs were counted; otherwise the number is an estimate.
    pub is_exact: bool,
}
