//! Live progress of a running job: not stored, and not needed for correctness.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;
use crate::job::run::Stage;
use crate::names::location::Location;
use crate::wire;

/// The progress of a running job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The job's id.
    pub job: JobId,
    /// The worker that runs the job.
    pub worker: WorkerName,
    /// The number of the attempt.
    pub attempt: u32,
    /// The stage of the attempt.
    pub stage: Stage,
    /// Done share of this stage, 0 to 1; `None` if it cannot be known.
    pub fraction: Option<f32>,
    /// Figures of the encode, once ffmpeg has printed some.
    pub encode: Option<EncodeProgress>,
    /// Seconds until the stage ends at the present speed. For the whole job see [`Progress::seconds_left`].
    pub eta: Option<f32>,
    /// The store or folder that the worker cannot reach, so that the finished output waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Location>,
    /// When this was measured.
    pub at: Timestamp,
}

impl wire::Message for Progress {}

/// The figures that ffmpeg prints while it encodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EncodeProgress {
    /// Number of video frames encoded.
    pub frame: u64,
    /// Frames per second.
    pub fps: f32,
    /// Multiple of real time.
    pub speed: f32,
    /// Bits per second of the output.
    pub bitrate: f32,
    /// Bytes of output so far.
    pub size: u64,
    /// Media time encoded, in seconds.
    pub time: f64,
}
