//! Failures: why an attempt failed, and whether another one is worth it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The cause of a failure; it decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Fault {
    /// The input or the recipe: no worker would do better, so there is no retry.
    Input,
    /// The worker (disk full, device of the encoder lost): retry on another worker.
    Worker,
    /// An outage that passes: a store or the broker is out of reach, or refuses for now. The job waits for its end,
    /// and no attempt is used up.
    Passing,
}

impl Fault {
    /// Whether another attempt can end differently.
    pub fn is_worth_a_retry(self) -> bool {
        self != Self::Input
    }
}

/// The reason in a message that also holds a path, at its end or its beginning: the message without the path.
pub fn cause(message: &str) -> &str {
    let is_start = |at: &usize| {
        let (before, from) = message.split_at(*at);
        let is_path = from.starts_with("s3://")
            || from.starts_with("file://")
            || (from.starts_with('/') && !from[1..].starts_with([' ', '/']));
        is_path
            && before
                .chars()
                .next_back()
                .is_none_or(|c| c.is_whitespace() || "('\"".contains(c))
    };
    let Some(at) = message.char_indices().map(|(at, _)| at).find(is_start) else {
        return message;
    };
    let before = message[..at].trim_end_matches(|c: char| c.is_whitespace() || ":('\"".contains(c));
    match message[at..].split_once(": ") {
        // The message begins with the path.
        Some((_, reason)) if before.is_empty() && !reason.is_empty() => cause(reason),
        _ if before.is_empty() => message,
        // The path is inside a sentence.
        Some(_) if !message[..at].trim_end().ends_with([':', '(']) => message,
        _ => before,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Input => "input",
            Self::Worker => "worker",
            Self::Passing => "passing",
        })
    }
}

/// How the cause of a doubtful failure is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// By a proof encode with the same encoder: if it passes, the input is at fault.
    Proof,
    /// By a proof encode and a second attempt: a machine with a passing defect does not fail the same job with the same
    /// message again. If another worker takes such jobs, only its attempt counts.
    Repetition,
    /// By a proof encode and a second attempt on another worker.
    SecondWorker,
}

/// The failure of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message}")]
pub struct Failure {
    /// The cause.
    pub fault: Fault,
    /// What happened, and to which file, in one line for people.
    pub message: String,
    /// The last lines of ffmpeg's log, if ffmpeg ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Whether an attempt is used up although the fault may pass: only this job was seen to fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// Whether it may follow from the split of the job, so that an encode of the whole may succeed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_split: bool,
    /// How the cause is to be found; `None` if it is known. The worker finds it before the failure is stored; until
    /// then `fault` is the worker's.
    #[serde(skip)]
    pub doubt: Option<Doubt>,
}

impl Failure {
    fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            log: Vec::new(),
            counts: false,
            of_split: false,
            doubt: None,
        }
    }

    /// A failure by fault of the input or the recipe.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Fault::Input, message)
    }

    /// A failure by fault of the worker.
    pub fn worker(message: impl Into<String>) -> Self {
        Self::new(Fault::Worker, message)
    }

    /// A failure by fault of the input or of the worker, to be settled by `doubt`.
    pub fn in_doubt(doubt: Doubt, message: impl Into<String>) -> Self {
        Self {
            doubt: Some(doubt),
            ..Self::worker(message)
        }
    }

    /// A failure by a passing fault.
    pub fn passing(message: impl Into<String>) -> Self {
        Self::new(Fault::Passing, message)
    }

    /// Whether the failure uses up one of the job's attempts.
    pub fn uses_attempt(&self) -> bool {
        self.counts || self.fault != Fault::Passing
    }

    /// The same failure, which uses up an attempt: its fault may pass, but has hit only this job so far.
    pub fn using_attempt(self) -> Self {
        Self {
            counts: true,
            ..self
        }
    }

    /// The same failure, of a part of a job or of the join. What is known to be the worker's fault, and what passes, would
    /// have failed an encode of the whole as well.
    #[must_use]
    pub fn of_split(self) -> Self {
        Self {
            of_split: self.doubt.is_some() || self.fault == Fault::Input,
            ..self
        }
    }

    /// The same failure, with the cause found.
    #[must_use]
    pub fn settled(self, fault: Fault) -> Self {
        Self {
            fault,
            doubt: None,
            ..self
        }
    }

    /// The same failure, with the lines of log that led to it.
    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.log = log;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_message_without_the_path() {
        for (message, expected) in [
            ("no video in it", "no video in it"),
            (
                "source is damaged: it ends at 7.7 s of 15.0 s: s3://media/in/a (1).mkv",
                "source is damaged: it ends at 7.7 s of 15.0 s",
            ),
            (
                "another file has appeared at the output: move it away (s3://media/out/a b.mkv)",
                "another file has appeared at the output: move it away",
            ),
            (
                "s3://media/in/Planet of: the.mkv: 403 Forbidden",
                "the.mkv: 403 Forbidden",
            ),
            ("/srv/films/a.mkv: permission denied", "permission denied"),
            ("cannot read '/srv/films/a.mkv'", "cannot read"),
            (
                "cannot reach s3://media/: 403 Forbidden",
                "cannot reach s3://media/: 403 Forbidden",
            ),
            (
                "24/1 frames and 3 / 4 of them",
                "24/1 frames and 3 / 4 of them",
            ),
            ("/srv/films/a.mkv", "/srv/films/a.mkv"),
            ("", ""),
        ] {
            assert_eq!(cause(message), expected, "{message}");
        }
    }
}
