//! Files of libraries: what is known of each.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::failure::Fault;
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::job::run::{Run, RunState};
use crate::recipe::encoder::Encoder;
use crate::rules::facts::Facts;
use crate::wire;
use crate::wire::is_default;

/// What is known of one file of a library, in the version that a scan has seen last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The file, with its exact version.
    pub input: Input,
    /// What it holds; `None` if it was not looked at, or cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What becomes of it.
    pub state: FileState,
    /// Its last check for damage.
    #[serde(default, skip_serializing_if = "is_default")]
    pub check: LastCheck,
}

impl wire::Message for FileRecord {
    fn version(&self) -> u32 {
        wire::LIBRARIES
    }
}

/// What becomes of a file of a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Its job is to be enqueued.
    Waiting,
    /// Its job waits or runs.
    Queued {
        /// The job.
        job: JobId,
    },
    /// Its output is in place.
    Done(Done),
    /// The original is the better result.
    Kept {
        /// The job.
        job: JobId,
        /// Why, in one sentence.
        why: String,
    },
    /// A rule leaves it as it is.
    Skipped {
        /// The condition.
        rule: String,
    },
    /// A pattern of the library leaves it out.
    Excluded {
        /// The pattern.
        pattern: String,
    },
    /// Its job failed for good.
    Failed {
        /// The job.
        job: JobId,
        /// Why.
        why: String,
    },
    /// A person cancelled its job, or took back its replacement.
    Cancelled {
        /// The job.
        job: JobId,
    },
    /// It can have no job for now.
    Refused {
        /// Why.
        why: String,
    },
    /// It holds no media that can be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// A file whose output is in place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The job.
    pub job: JobId,
    /// Bytes of the source.
    pub before: u64,
    /// Bytes of the output.
    pub after: u64,
    /// The video codec of the source, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// The encoder; `None` if the video was copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Encoder>,
}

/// The last check of a file for damage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LastCheck {
    /// The job that waits, runs or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// When a check last ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The damage that it has found, in words; `None` if the file is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

impl LastCheck {
    /// The check once its job has ended; `None` while it waits or runs, and if it says nothing about the file.
    pub fn ended(&self, run: &Run) -> Option<Self> {
        let damage = match &run.state {
            RunState::Completed { report } => report.health.as_ref().and_then(|health| {
                let first = health.damage.first()?;
                let more = health.damage.len() as u64 - 1 + health.more;
                Some(match more {
                    0 => first.to_string(),
                    more => format!("{first}; {more} more damaged places"),
                })
            }),
            RunState::Failed { failure } if failure.fault == Fault::Input => {
                Some(failure.message.clone())
            }
            // It has ended, and the file was not judged.
            state if state.is_terminal() => {
                return Some(Self {
                    job: None,
                    ..self.clone()
                });
            }
            _ => return None,
        };
        Some(Self {
            job: None,
            at: Some(run.changed),
            damage,
        })
    }
}

/// The states of files, without what is known of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FileStateKind {
    /// Its job is to be enqueued.
    Waiting,
    /// Its job waits or runs.
    Queued,
    /// Its output is in place.
    Done,
    /// The original is the better result.
    Kept,
    /// A rule leaves it as it is.
    Skipped,
    /// A pattern of the library leaves it out.
    Excluded,
    /// Its job failed for good.
    Failed,
    /// A person cancelled its job, or took back its replacement.
    Cancelled,
    /// It can have no job for now.
    Refused,
    /// It holds no media that can be read.
    Unreadable,
}

impl FileStateKind {
    /// Every state, what is left to do first.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Queued,
        Self::Done,
        Self::Kept,
        Self::Skipped,
        Self::Excluded,
        Self::Failed,
        Self::Cancelled,
        Self::Refused,
        Self::Unreadable,
    ];

    /// The state in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Kept => "kept",
            Self::Skipped => "skipped",
            Self::Excluded => "excluded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether a job is to be made of such a file, or is under way.
    pub fn is_to_do(self) -> bool {
        matches!(self, Self::Waiting | Self::Queued)
    }
}

impl fmt::Display for FileStateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word names no state of files.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown state '{0}': one of waiting, queued, done, kept, skipped, excluded, failed, cancelled, refused, unreadable"
)]
pub struct UnknownFileState(String);

impl FromStr for FileStateKind {
    type Err = UnknownFileState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| UnknownFileState(text.to_owned()))
    }
}

impl FileState {
    /// The state without what is known of the file.
    pub fn kind(&self) -> FileStateKind {
        match self {
            Self::Waiting => FileStateKind::Waiting,
            Self::Queued { .. } => FileStateKind::Queued,
            Self::Done(_) => FileStateKind::Done,
            Self::Kept { .. } => FileStateKind::Kept,
            Self::Skipped { .. } => FileStateKind::Skipped,
            Self::Excluded { .. } => FileStateKind::Excluded,
            Self::Failed { .. } => FileStateKind::Failed,
            Self::Cancelled { .. } => FileStateKind::Cancelled,
            Self::Refused { .. } => FileStateKind::Refused,
            Self::Unreadable { .. } => FileStateKind::Unreadable,
        }
    }

    /// The file's job, if it has one.
    pub fn job(&self) -> Option<&JobId> {
        match self {
            Self::Queued { job }
            | Self::Done(Done { job, .. })
            | Self::Kept { job, .. }
            | Self::Failed { job, .. }
            | Self::Cancelled { job } => Some(job),
            Self::Waiting
            | Self::Skipped { .. }
            | Self::Excluded { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. } => None,
        }
    }

    /// Why the file is in this state, if that is more than the state says.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Kept { why, .. }
            | Self::Failed { why, .. }
            | Self::Refused { why }
            | Self::Unreadable { why } => Some(why),
            Self::Skipped { rule } => Some(rule),
            Self::Excluded { pattern } => Some(pattern),
            Self::Waiting | Self::Queued { .. } | Self::Done(_) | Self::Cancelled { .. } => None,
        }
    }
}

impl FileRecord {
    /// The record of a file that was just seen in this version.
    pub fn new(input: Input, facts: Option<Facts>, state: FileState) -> Self {
        Self {
            input,
            facts,
            state,
            check: LastCheck::default(),
        }
    }

    /// The codec of its film, by ffmpeg's name; `None` if that is not known.
    pub fn codec(&self) -> Option<&str> {
        let video = self.facts.as_ref()?.video.as_ref()?;
        Some(video.codec.as_str())
    }

    /// Its most particular kind of high dynamic range; `None` if it has none, or that is not known.
    pub fn hdr(&self) -> Option<&str> {
        let video = self.facts.as_ref()?.video.as_ref()?;
        video.hdr.last().map(|kind| kind.as_str())
    }
}
