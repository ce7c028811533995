//! Reports: what a completed job made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::changes::Change;
use crate::job::companion::Companion;
use crate::job::ladder::LadderStream;
use crate::job::media_info::MediaInfo;
use crate::job::replacement::Replaced;
use crate::job::run::health::Health;
use crate::job::run::quality::MeasuredQuality;
use crate::job::sidecar::Sidecar;
use crate::job::split::{PieceReport, SplitReport};
use crate::recipe::encoder::Encoder;

/// The result of a completed job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// The worker that completed the job.
    pub worker: WorkerName,
    /// The encoder; `None` if the video was copied.
    pub encoder: Option<Encoder>,
    /// Bytes of the input.
    pub input_size: u64,
    /// Bytes of the output.
    pub output_size: u64,
    /// Video frames of the output.
    pub frames: u64,
    /// Length of the output in seconds.
    pub duration: f64,
    /// Wall time of ffmpeg's encode in seconds.
    pub encode_seconds: f64,
    /// Wall time from claim to end in seconds; of a job that was made in parts, the time in which any of them ran, and
    /// that of the plan and the join.
    pub total_seconds: f64,
    /// The content of the input; `None` for reports of old programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_media: Option<MediaInfo>,
    /// The content of the output; `None` for reports of old programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_media: Option<MediaInfo>,
    /// The measured quality; `None` if the recipe asks for no target and sets no floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<MeasuredQuality>,
    /// What the output has kept, converted and lost, by comparison with the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The files beside the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// The streams of a rendition of a ladder; empty for other outputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<LadderStream>,
    /// What a check has found; `None` for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The source that the output has replaced; `None` if the job replaces nothing, or if the source had changed by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Replaced>,
    /// The files beside the source that go along with the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<Sidecar>,
    /// Whether the output was made in parts, and if not, why; `None` if the job was not to be split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitReport>,
    /// Warnings in words: that there were too many sidecars, and all warnings of programs that did not list `changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Report {
    /// What people should be told: sidecars that were left behind, then the changes, losses first; one a line.
    pub fn news(&self) -> Vec<String> {
        let mut changes: Vec<&Change> = self
            .changes
            .iter()
            .filter(|change| change.is_news())
            .collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.fate));
        let changes = changes.into_iter().map(ToString::to_string);
        self.notes().chain(changes).collect()
    }

    /// What people should be told beside the changes, one a line.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let sidecars = self.sidecars.iter().filter_map(Sidecar::news);
        self.warnings.iter().cloned().chain(sidecars)
    }

    /// What the piece has in common with the others, if this is the report of a chunk.
    pub fn piece(&self) -> Option<&PieceReport> {
        match &self.split {
            Some(SplitReport::Piece(made)) => Some(made),
            _ => None,
        }
    }

    /// Mean frames per second of the encode; of a job that was made in parts, of all parts together.
    pub fn fps(&self) -> f64 {
        let seconds = match self.split {
            // They were encoded at the same time.
            Some(SplitReport::Parts(_)) => self.total_seconds,
            Some(SplitReport::Whole(_) | SplitReport::Piece(_)) | None => self.encode_seconds,
        };
        if seconds > 0.0 {
            self.frames as f64 / seconds
        } else {
            0.0
        }
    }

    /// The workers that made the output, by name.
    pub fn workers(&self) -> BTreeSet<&WorkerName> {
        match &self.split {
            Some(SplitReport::Parts(parts)) => parts.iter().map(|part| &part.worker).collect(),
            Some(SplitReport::Whole(_) | SplitReport::Piece(_)) | None => {
                BTreeSet::from([&self.worker])
            }
        }
    }
}
