//! Why an attempt failed, and whether another one is worth it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose fault it was; decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Fault {
    /// The input or the recipe: no worker will fare better, so no retry.
    Input,
    /// The worker (disk full, encoder lost its device): retry elsewhere.
    Worker,
    /// Something that passes: a store or the broker is out of reach, or takes
    /// nothing for now. It is waited out, and uses up no attempt.
    Passing,
}

impl Fault {
    /// Whether another attempt can end differently.
    pub fn is_worth_a_retry(self) -> bool {
        self != Self::Input
    }
}

/// Why something failed, of a message that also says where: without the path that
/// such messages end with, or began with once.
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
        // It begins with the path.
        Some((_, reason)) if before.is_empty() && !reason.is_empty() => cause(reason),
        _ if before.is_empty() => message,
        // The path stands in the midst of a sentence.
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

/// What is to decide whose fault a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A proof encode with the same encoder. If it passes, the input is at fault.
    Proof,
    /// A proof encode, and a second attempt on any worker: a machine that was sick for a moment does not fail
    /// the same job in the same words again.
    Repetition,
    /// A proof encode, and a second attempt on another worker.
    SecondWorker,
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whose fault.
    pub fault: Fault,
    /// What happened, to what, in one line for people.
    pub message: String,
    /// The last lines of ffmpeg's log, where it got that far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Whether it uses up an attempt although it may pass: nothing but this job
    /// was seen to fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// Whether it is still open whose fault it was. The worker settles that before anything is
    /// written down; until then `fault` is the worker's.
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
            doubt: None,
        }
    }

    /// The input's or the recipe's fault.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Fault::Input, message)
    }

    /// The worker's fault.
    pub fn worker(message: impl Into<String>) -> Self {
        Self::new(Fault::Worker, message)
    }

    /// The input's or the worker's fault: this is to decide.
    pub fn in_doubt(doubt: Doubt, message: impl Into<String>) -> Self {
        Self {
            doubt: Some(doubt),
            ..Self::worker(message)
        }
    }

    /// A fault that passes.
    pub fn passing(message: impl Into<String>) -> Self {
        Self::new(Fault::Passing, message)
    }

    /// A fault that may pass, but that so far befell this job alone.
    pub fn passing_perhaps(message: impl Into<String>) -> Self {
        Self {
            counts: true,
            ..Self::passing(message)
        }
    }

    /// Whether it uses up one of the job's attempts.
    pub fn uses_attempt(&self) -> bool {
        self.counts || self.fault != Fault::Passing
    }

    /// The same failure, once it is known whose fault it was.
    #[must_use]
    pub fn settled(self, fault: Fault) -> Self {
        Self {
            fault,
            doubt: None,
            ..self
        }
    }

    /// The same failure with the lines of log that led to it.
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
