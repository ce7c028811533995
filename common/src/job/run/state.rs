//! Where a run stands, with what belongs to each state.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::failure::Failure;
use crate::job::run::report::Report;
use crate::job::state::JobState;

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A worker is at it.
    Running {
        /// The owner: the worker whose claim is in force.
        worker: WorkerName,
        /// When the owner claimed the job.
        since: Timestamp,
        /// What it is busy with, as far as it is written down: `Reading` from the
        /// claim on, `Publishing` from the fence on. [`crate::job::progress`] says it live.
        stage: Stage,
    },
    /// It waits in its queue again.
    Queued {
        /// Who put it there.
        by: Requeue,
    },
    /// An attempt failed; the next one may start then.
    Waiting {
        /// The earliest time of the next attempt.
        until: Timestamp,
        /// What went wrong.
        failure: Failure,
    },
    /// Done: the output is at its final key, whole and verified.
    Completed {
        /// What was made.
        report: Box<Report>,
    },
    /// Failed for good.
    Failed {
        /// What went wrong last.
        failure: Failure,
    },
    /// Cancelled by a person.
    Cancelled,
}

/// Who put a job that was taken, or was to be taken elsewhere, back in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requeue {
    /// A worker gave it back unharmed, e.g. because it was told to stop.
    Worker(WorkerName),
    /// An operator put it there; its fallbacks, where it has some, open again in turn.
    #[serde(rename = "person")]
    Operator,
    /// An operator wants it taken from there and nowhere else.
    #[serde(rename = "move")]
    Pinned,
}

/// What a running attempt is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Stage {
    /// Looking at the input, or downloading it.
    Reading,
    /// Running ffmpeg.
    Encoding,
    /// Checking the output before anyone can see it.
    Verifying,
    /// Bringing the output to its final key.
    Publishing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reading => "reading",
            Self::Encoding => "encoding",
            Self::Verifying => "verifying",
            Self::Publishing => "publishing",
        })
    }
}

impl RunState {
    /// Whether nothing can change any more.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled
        )
    }

    /// Whether it is nobody's: it may be taken, now or later.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Waiting { .. })
    }

    /// The word for it: that of its [`JobState`].
    pub fn as_str(&self) -> &'static str {
        JobState::from(self).as_str()
    }
}

impl From<&RunState> for JobState {
    fn from(state: &RunState) -> Self {
        match state {
            RunState::Queued { .. } => Self::Pending,
            RunState::Running { .. } => Self::Running,
            RunState::Waiting { .. } => Self::Waiting,
            RunState::Completed { .. } => Self::Completed,
            RunState::Failed { .. } => Self::Failed,
            RunState::Cancelled => Self::Cancelled,
        }
    }
}
