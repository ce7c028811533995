//! States of jobs, for people.

use common::job::state::JobState;

/// The word for people: JSON and `--state` call a job that waits for its next attempt `waiting`.
pub(crate) fn word(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "retrying",
        other => other.as_str(),
    }
}
