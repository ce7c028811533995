//! The state of a run, with the data of each state.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::failure::Failure;
use crate::job::run::kept::KeptReport;
use crate::job::run::report::Report;
use crate::job::state::JobState;

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RunState {
    /// A worker owns the job.
    Running {
        /// The owner: the worker whose claim is in the run.
        worker: WorkerName,
        /// When the owner claimed the job.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        since: Timestamp,
        /// The stored stage: `reading` from the claim on, `publishing` from the fence on. The progress of the job has
        /// the live stage.
        stage: Stage,
    },
    /// The job was split, and its parts wait or run. No worker owns the job itself.
    Split {
        /// When it was split.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        since: Timestamp,
        /// The number of its parts.
        parts: u32,
    },
    /// The job waits in its queue again.
    Queued {
        /// How the job came to wait again.
        by: Requeue,
    },
    /// An attempt failed; the next one starts later.
    Waiting {
        /// The earliest time of the next attempt.
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
        until: Timestamp,
        /// The failure of the last attempt.
        failure: Failure,
    },
    /// Completed: the output is at its final key, whole and verified.
    Completed {
        /// What was made.
        report: Box<Report>,
    },
    /// Kept: the original is the better result, by the rules of the job.
    Kept {
        /// Why.
        report: Box<KeptReport>,
    },
    /// Failed for good.
    Failed {
        /// The last failure.
        failure: Failure,
    },
    /// Cancelled by a person.
    Cancelled,
}

/// How a job came to wait in a queue again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Requeue {
    /// A worker released it unharmed, e.g. on SIGTERM.
    Worker(WorkerName),
    /// A person requeued it; its fallbacks, if any, open again in turn.
    #[serde(rename = "person")]
    Person,
    /// A person moved it, or its split was given up: to be claimed from that queue only.
    #[serde(rename = "move")]
    Moved,
}

/// The stage of a running attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Stage {
    /// The input is inspected or downloaded.
    Reading,
    /// Samples are encoded, to find the quality that the recipe asks for.
    Searching,
    /// ffmpeg encodes.
    Encoding,
    /// The output is checked before it appears.
    Verifying,
    /// The output is brought to its final key.
    Publishing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reading => "reading",
            Self::Searching => "searching",
            Self::Encoding => "encoding",
            Self::Verifying => "verifying",
            Self::Publishing => "publishing",
        })
    }
}

impl RunState {
    /// Whether the run is final, unless a person retries the job.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Kept { .. } | Self::Failed { .. } | Self::Cancelled
        )
    }

    /// Whether the job has no owner and may be claimed, now or later.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Waiting { .. })
    }

    /// The word for the state, as in [`JobState`].
    pub fn as_str(&self) -> &'static str {
        JobState::from(self).as_str()
    }
}

impl From<&RunState> for JobState {
    fn from(state: &RunState) -> Self {
        match state {
            RunState::Queued { .. } => Self::Pending,
            RunState::Running { .. } | RunState::Split { .. } => Self::Running,
            RunState::Waiting { .. } => Self::Waiting,
            RunState::Completed { .. } => Self::Completed,
            RunState::Kept { .. } => Self::Kept,
            RunState::Failed { .. } => Self::Failed,
            RunState::Cancelled => Self::Cancelled,
        }
    }
}
