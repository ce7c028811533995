//! The states of a job, in the one set of words that commands, page, API and filters share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of a job. [`crate::job::run::RunState`] is the same with the data of each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobState {
    /// The job waits in its queue for a worker.
    Pending,
    /// The job is parked, because its batch is paused.
    Paused,
    /// A worker has claimed the job.
    Running,
    /// An attempt failed, and the next one starts later.
    Waiting,
    /// The output is in place, whole and verified.
    Completed,
    /// The original is the better result, by the rules of the job.
    Kept,
    /// The job failed for good.
    Failed,
    /// A person cancelled the job.
    Cancelled,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Paused,
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Kept,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word for the state, for people and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Kept => "kept",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the job has ended: only a retry can change it.
    pub fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Kept | Self::Failed | Self::Cancelled
        )
    }

    /// Whether the job has no owner and may get one.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Paused | Self::Waiting)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word names no state.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown state '{0}': one of pending, paused, running, waiting, completed, kept, failed, cancelled"
)]
pub struct UnknownState(String);

impl FromStr for JobState {
    type Err = UnknownState;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| UnknownState(word.to_owned()))
    }
}

/// Why a person's change came too late for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TooLate {
    /// The job's state does not allow the change.
    Is(JobState),
    /// The owner is publishing the output.
    Publishing,
    /// The owner vanished while it published: the output may be in place, or appear.
    PerhapsPublished,
    /// The farm does not know the job any more.
    Gone,
}

impl TooLate {
    /// The reason, to be put after "it is".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is(state) => state.as_str(),
            Self::Publishing => "being published",
            Self::PerhapsPublished => "perhaps published",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for TooLate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_json_use_the_same_word_for_a_state() {
        for state in JobState::ALL {
            let json = serde_json::to_value(state).expect("plain data");
            assert_eq!(json, state.as_str());
            assert_eq!(state.as_str().parse::<JobState>().expect("a state"), state);
        }
        let error = "done".parse::<JobState>().expect_err("no state");
        for state in JobState::ALL {
            assert!(error.to_string().contains(state.as_str()), "{error}");
        }
    }
}
