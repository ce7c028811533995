//! What a farm knows of a job: that it waits, that its batch is paused, or its run.

use serde::Serialize;

use crate::farm::queue::{Priority, Queue};
use crate::job::Job;
use crate::job::run::Run;
use crate::job::state::JobState;

/// A job that waits and that nobody has taken yet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pending {
    /// The job.
    pub job: Job,
    /// Where it waits.
    pub queue: Queue,
    /// How urgently.
    pub priority: Priority,
    /// Its place in the broker's order.
    pub sequence: u64,
}

/// All that is known of one job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobRecord {
    /// Nobody has taken it yet.
    Pending(Box<Pending>),
    /// Its batch is paused and it was put aside; this is where it goes on.
    Parked(Box<Run>),
    /// Somebody has.
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

    /// The queue that it waits in, or was last taken from.
    pub fn queue(&self) -> &Queue {
        match self {
            Self::Pending(pending) => &pending.queue,
            Self::Parked(run) | Self::Run(run) => &run.queue,
        }
    }

    /// How urgently.
    pub fn priority(&self) -> Priority {
        match self {
            Self::Pending(pending) => pending.priority,
            Self::Parked(run) | Self::Run(run) => run.priority,
        }
    }

    /// Its run, once somebody has taken it or decided about it.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Pending(_) => None,
            Self::Parked(run) | Self::Run(run) => Some(run),
        }
    }

    /// Whether nothing can change any more, unless a person wants it to.
    pub fn has_ended(&self) -> bool {
        self.run().is_some_and(|run| run.state.is_terminal())
    }

    /// Where it stands.
    pub fn state(&self) -> JobState {
        match self {
            Self::Pending(_) => JobState::Pending,
            Self::Parked(_) => JobState::Paused,
            Self::Run(run) => JobState::from(&run.state),
        }
    }
}

/// How many jobs go before another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueAhead {
    /// How many.
    pub jobs: u64,
    /// Whether they were counted; estimated otherwise.
    pub is_exact: bool,
}
