//! Peeking into files through a worker: workers reach the files and have an
//! ffmpeg in a sandbox; who shows the farm, or hands jobs in, may have neither.

use serde::{Deserialize, Serialize};

use crate::job::changes::Change;
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::recipe::Recipe;

/// Pixels across a still.
pub const STILL_WIDTH: u32 = 480;

/// What a worker is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PreviewRequest {
    /// To show something of a job's file.
    Preview(Preview),
    /// To tell what would become of an input: answered by [`Forecast`].
    ForecastRequest(Box<ForecastRequest>),
}

/// An input that is no job's yet, and what might be done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastRequest {
    /// The input: a worker looks into its own roots and buckets only.
    pub input: Input,
    /// How it would be encoded.
    pub recipe: Recipe,
}

/// What would become of an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What would be kept, converted and lost, as far as it can be known before the encode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Why the job would fail; `None` where nothing is known against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What is to be shown of a job's file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// Whose file: a worker shows nothing that is no job's.
    pub job: JobId,
    /// Which of the two.
    pub side: JobFile,
    /// What to show of it.
    pub what: PreviewKind,
}

/// Which of a job's two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobFile {
    /// What it is made of.
    Input,
    /// What it made.
    Output,
}

/// What can be seen of a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewKind {
    /// What it holds: answered by a [`crate::job::media_info::MediaInfo`].
    Info,
    /// The picture at this many seconds from the beginning: answered by a JPEG.
    Still(f64),
}
