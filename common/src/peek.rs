//! Peeking into a job's files through a worker: workers reach the files and
//! have an ffmpeg in a sandbox; whoever shows the farm may have neither.

use serde::{Deserialize, Serialize};

use crate::id::JobId;

/// Pixels across a still.
pub const STILL_WIDTH: u32 = 480;

/// What is asked of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peek {
    /// Whose file: a worker shows nothing that is no job's.
    pub job: JobId,
    /// Which of the two.
    pub side: Side,
    /// What to show of it.
    pub what: Sight,
}

/// Which of a job's two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What it is made of.
    Input,
    /// What it made.
    Output,
}

/// What can be seen of a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// What it holds: answered by a [`crate::media_info::MediaInfo`].
    Info,
    /// The picture at this many seconds from the beginning: answered by a JPEG.
    Still(f64),
}
