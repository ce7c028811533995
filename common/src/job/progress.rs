//! Live progress of a running job: fresh or nothing, never needed for correctness.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;
use crate::job::run::Stage;
use crate::names::location::Location;

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Which job.
    pub job: JobId,
    /// Who runs it.
    pub worker: WorkerName,
    /// Which of its attempts.
    pub attempt: u32,
    /// What it is busy with.
    pub stage: Stage,
    /// Done share of this stage, 0 to 1; `None` where it cannot be known.
    pub fraction: Option<f32>,
    /// Encoding figures, once ffmpeg has given some.
    pub encode: Option<EncodeProgress>,
    /// Seconds until the stage ends at the present speed; of the whole job
    /// [`Progress::seconds_left`] says it.
    pub eta: Option<f32>,
    /// A place that it waits for with what it has made, as its worker cannot
    /// reach it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Location>,
    /// When this was measured.
    pub at: Timestamp,
}

/// What ffmpeg says of itself while it encodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EncodeProgress {
    /// Video frames encoded.
    pub frame: u64,
    /// Frames per second.
    pub fps: f32,
    /// Times real time.
    pub speed: f32,
    /// Bits per second of the output.
    pub bitrate: f32,
    /// Bytes of output so far.
    pub size: u64,
    /// Media time encoded, in seconds.
    pub time: f64,
}
