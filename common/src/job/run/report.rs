//! What a completed attempt made, and by which means.

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::changes::Change;
use crate::job::media_info::MediaInfo;
use crate::recipe::encoder::Encoder;

/// What a completed job made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Who made it.
    pub worker: WorkerName,
    /// By which encoder; `None` where the video was copied.
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
    /// Wall time from claim to the end in seconds.
    pub total_seconds: f64,
    /// What the input holds; not known of jobs from before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_media: Option<MediaInfo>,
    /// What the output holds; as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_media: Option<MediaInfo>,
    /// What became of what the input holds, by comparison with the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What was worth telling although it worked, in words: of jobs from before there were `changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Report {
    /// What a person who did not ask for it needs to hear: losses first, each in a line.
    pub fn news(&self) -> Vec<String> {
        let mut changes: Vec<&Change> = self
            .changes
            .iter()
            .filter(|change| change.is_news())
            .collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.fate));
        let changes = changes.into_iter().map(ToString::to_string);
        self.warnings.iter().cloned().chain(changes).collect()
    }

    /// Mean frames per second of the encode.
    pub fn fps(&self) -> f64 {
        if self.encode_seconds > 0.0 {
            self.frames as f64 / self.encode_seconds
        } else {
            0.0
        }
    }
}
