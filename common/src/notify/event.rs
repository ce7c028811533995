//! The kinds of events that a hook can be told of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::similar::did_you_mean;

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EventKind {
    /// All jobs of a batch have ended.
    BatchDone,
    /// A job failed for good.
    JobFailed,
    /// A job was completed.
    JobCompleted,
    /// A worker that had not signed off sends no more heartbeats.
    WorkerLost,
    /// Nothing is left to do in a library, after there was.
    LibraryFinished,
    /// A person tried a hook. No hook can ask for it.
    Test,
}

/// No event has this name.
#[derive(Debug, thiserror::Error)]
#[error("there is no event '{given}': {hint}there are {}", EventKind::names().join(", "))]
pub struct UnknownEvent {
    given: String,
    hint: String,
}

impl EventKind {
    /// The kinds that a hook can ask for.
    pub const ALL: [Self; 5] = [
        Self::BatchDone,
        Self::JobFailed,
        Self::JobCompleted,
        Self::WorkerLost,
        Self::LibraryFinished,
    ];

    /// The kinds that a hook is told of unless it says otherwise: all but one for each completed job.
    pub const USUAL: [Self; 4] = [
        Self::BatchDone,
        Self::JobFailed,
        Self::WorkerLost,
        Self::LibraryFinished,
    ];

    /// The kind's name, as people write it and as messages have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BatchDone => "batch-done",
            Self::JobFailed => "job-failed",
            Self::JobCompleted => "job-completed",
            Self::WorkerLost => "worker-lost",
            Self::LibraryFinished => "library-finished",
            Self::Test => "test",
        }
    }

    fn names() -> [&'static str; 5] {
        Self::ALL.map(Self::as_str)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownEvent {
            given: text.to_owned(),
            hint: did_you_mean(text, &Self::names()),
        })
    }
}

impl TryFrom<String> for EventKind {
    type Error = UnknownEvent;

    fn try_from(text: String) -> Result<Self, UnknownEvent> {
        match text.as_str() {
            // Stored with an occurrence, never asked for by a hook.
            "test" => Ok(Self::Test),
            text => text.parse(),
        }
    }
}

impl From<EventKind> for String {
    fn from(kind: EventKind) -> Self {
        kind.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_a_typing_error_is_told() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse::<EventKind>().expect("known"), kind);
        }
        let error = "job-fialed"
            .parse::<EventKind>()
            .expect_err("a typing error");
        let error = error.to_string();
        assert!(
            error.starts_with(
                "there is no event 'job-fialed': did you mean job-failed? there are batch-done, "
            ),
            "{error}"
        );
        assert!(
            "test".parse::<EventKind>().is_err(),
            "no hook can ask for it"
        );
    }
}
