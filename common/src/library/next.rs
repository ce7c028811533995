//! What is done next about a file that a scan has seen: pure.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::job::input::Input;
use crate::job::record::JobRecord;
use crate::job::run::{Run, RunState};
use crate::library::file::{Done, FileRecord, FileState};
use crate::rules::Rules;
use crate::rules::facts::Facts;

/// A file that a scan has seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The file in its present version.
    pub input: &'a Input,
    /// The pattern of the library that leaves it out, if one does.
    pub excluded: Option<&'a str>,
    /// Whether it has stayed as it is for long enough.
    pub has_settled: bool,
}

/// What is done next about a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing: its record is right.
    Stay,
    /// Nothing until it has settled.
    Settle,
    /// It is probed.
    Probe,
    /// Its record gets this state.
    Note(FileState),
    /// A job is enqueued for it.
    Enqueue,
}

/// What is known of the job of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// The broker does not know the job.
    Unknown,
    /// It waits or runs.
    Lives,
    /// It has ended, so the file has this state.
    Ended(FileState),
}

impl From<Option<&JobRecord>> for Sight {
    fn from(record: Option<&JobRecord>) -> Self {
        match record {
            None => Self::Unknown,
            Some(record) => record.run().map_or(Self::Lives, Self::from),
        }
    }
}

impl From<&Run> for Sight {
    fn from(run: &Run) -> Self {
        let job = run.job.id;
        Self::Ended(match &run.state {
            RunState::Completed { report } => FileState::Done(Done {
                job,
                before: report.input_size,
                after: report.output_size,
                codec: report.input_media.as_ref().and_then(|media| {
                    let codec = media.film_codec()?;
                    Some(codec.to_owned())
                }),
                encoder: report.encoder.clone(),
            }),
            RunState::Kept { report } => FileState::Kept {
                job,
                why: report.sentence(),
            },
            RunState::Failed { failure } => FileState::Failed {
                job,
                why: failure.message.clone(),
            },
            RunState::Cancelled => FileState::Cancelled { job },
            RunState::Running { .. }
            | RunState::Split { .. }
            | RunState::Queued { .. }
            | RunState::Waiting { .. } => return Self::Lives,
        })
    }
}

/// What is done next about a file that was seen. `known` is its record, and `job` is what is known of the job that the
/// record names.
pub fn next(
    seen: Seen<'_>,
    known: Option<&FileRecord>,
    job: &Sight,
    rules: &Rules,
    now: Timestamp,
) -> Next {
    if let Some(pattern) = seen.excluded {
        let state = FileState::Excluded {
            pattern: pattern.to_owned(),
        };
        return match known {
            Some(record) if record.input == *seen.input && record.state == state => Next::Stay,
            _ => Next::Note(state),
        };
    }
    let Some(record) = known.filter(|record| record.input == *seen.input) else {
        return if seen.has_settled {
            Next::Probe
        } else {
            Next::Settle
        };
    };
    let state = match (&record.state, record.state.job(), job) {
        (FileState::Unreadable { .. }, ..) => return Next::Stay,
        (_, Some(job), Sight::Lives) => FileState::Queued { job: *job },
        (_, Some(_), Sight::Ended(ended)) => ended.clone(),
        // What is done stays done, also if the broker has forgotten the job.
        (FileState::Done(_) | FileState::Kept { .. }, ..) => return Next::Stay,
        _ => match &record.facts {
            None => return Next::Probe,
            Some(facts) => match skipped(facts, rules, now) {
                Some(state) => state,
                None => return Next::Enqueue,
            },
        },
    };
    match state == record.state {
        true => Next::Stay,
        false => Next::Note(state),
    }
}

/// What is done next about a file that was probed. `made` is the state that the file has as the result of a job of the
/// farm that has replaced its source.
pub fn after_probe(
    probed: Result<&Facts, String>,
    made: Option<FileState>,
    rules: &Rules,
    now: Timestamp,
) -> Next {
    match (made, probed) {
        (Some(state), _) => Next::Note(state),
        (None, Err(why)) => Next::Note(FileState::Unreadable { why }),
        (None, Ok(facts)) => skipped(facts, rules, now).map_or(Next::Enqueue, Next::Note),
    }
}

/// The state of a file that a rule leaves as it is.
fn skipped(facts: &Facts, rules: &Rules, now: Timestamp) -> Option<FileState> {
    let condition = rules.skip_if.as_ref()?;
    condition.holds(facts, now).then(|| FileState::Skipped {
        rule: condition.to_string(),
    })
}
