//! Where a job stands, in the one set of words that commands, the page, the API
//! and filters share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a job stands. [`crate::job::run::RunState`] is the same with what belongs to each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobState {
    /// It waits in its queue for a worker.
    Pending,
    /// It was set aside while its batch is paused.
    Paused,
    /// A worker has claimed it.
    Running,
    /// An attempt failed, and the next one is due later.
    Waiting,
    /// Its output is in place, whole and verified.
    Completed,
    /// It failed for good.
    Failed,
    /// An operator cancelled it.
    Cancelled,
}

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Paused,
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word for it, as people write it and as JSON holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the job changes no more, unless an operator retries it.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
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

/// A word that names no state.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown state '{0}': one of pending, paused, running, waiting, completed, failed, cancelled"
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

/// Why an operator's change came too late for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TooLate {
    /// Its state does not allow the change.
    Is(JobState),
    /// Its owner is bringing the output into place.
    Publishing,
    /// Its owner vanished while it published: the output may be there, or appear.
    PerhapsPublished,
    /// The farm does not know it any more.
    Gone,
}

impl TooLate {
    /// Why, to be put after "it is".
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
