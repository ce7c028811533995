//! Workers and their capabilities, as the page shows them.

use std::collections::BTreeMap;

use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::recipe::encoder::{Codec, Encoder, EncoderKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;

/// Whether a worker takes jobs, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// The worker takes jobs.
    Ready,
    /// The worker was told to drain: it finishes its running jobs and takes no more.
    Draining,
    /// The worker has drained: no job is left, and it takes none until it is resumed.
    Drained,
    /// The worker is outside its working hours.
    OffHours,
    /// Jobs and then a proof encode failed on the worker.
    Quarantined,
    /// Three heartbeats of the worker are missing.
    Lost,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WorkerRow {
    pub name: WorkerName,
    pub status: Presence,
    /// Why the worker takes no jobs, in its own words.
    pub note: Option<String>,
    /// When the status changes; in quarantine, when the worker next proves its encoders.
    pub until: Option<Moment>,
    /// The last heartbeat of a lost worker. Left out for live workers: it would change every few
    /// seconds.
    pub last_seen: Option<Moment>,
    pub started: Moment,
    /// The most jobs that the worker runs at once.
    pub slots: u32,
    /// The running jobs.
    pub running: Vec<JobId>,
    /// Share of all cores in use, 0 to 1.
    pub cpu: f32,
    /// Share of memory in use, 0 to 1.
    pub memory: f32,
    /// Free bytes for scratch files.
    pub scratch_free: u64,
    /// Stores and folders that the worker cannot reach.
    pub away: Vec<AwayRow>,
    /// Whole seconds by which the worker's clock is ahead of the broker's; negative if it is
    /// behind.
    pub clock_ahead: f64,
}

/// A store or folder that a worker cannot reach.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AwayRow {
    /// The bucket or the folder.
    pub place: String,
    pub since: Moment,
    /// The error of the store or of the operating system.
    pub error: String,
}

/// The capabilities of each worker. They are a section of their own, for they are large and seldom
/// change.
pub type Cards = BTreeMap<WorkerName, CardRow>;

/// The capabilities of one worker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CardRow {
    pub host: String,
    pub os: String,
    pub cpu: String,
    pub cores: u32,
    /// Memory of the machine in bytes.
    pub memory: u64,
    /// The version of ffmpeg.
    pub ffmpeg: String,
    /// How well ffmpeg is confined: `full`, `none`, or `partial` with what is open. Empty where the worker's version
    /// does not say.
    pub sandbox: String,
    /// Encoders that passed their test encode: hardware encoders first, then by speed.
    pub encoders: Vec<EncoderRow>,
    /// Encoders that failed their test encode, each with ffmpeg's message.
    pub refused: BTreeMap<Encoder, String>,
    /// Audio encoders that passed their test encode.
    pub audio: Vec<String>,
    /// Filters that ffmpeg lists, of those that recipes use.
    pub filters: Vec<String>,
    /// Muxers that ffmpeg lists, of those that recipes use.
    pub muxers: Vec<String>,
    /// Folders below which the worker may read and write.
    pub roots: Vec<String>,
    /// Bucket prefixes that the worker may use. Empty: every bucket that its credentials open.
    pub buckets: Vec<String>,
}

/// An encoder that passed its test encode.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EncoderRow {
    /// The name in ffmpeg.
    pub name: Encoder,
    /// The codec that the encoder makes.
    pub codec: Option<Codec>,
    /// The kind of device that the encoder runs on.
    pub kind: EncoderKind,
    /// Speed in frames per second at 1280×720.
    pub fps: f32,
    /// Width and height of the largest picture.
    pub largest: (u32, u32),
    /// Bit depths that the encoder was proved with.
    pub depths: Vec<u8>,
    /// The most encodes at once, if the device limits them.
    pub sessions: Option<u32>,
}
