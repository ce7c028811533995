//! Workers as rows, and their capabilities.

use std::collections::BTreeMap;

use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::recipe::encoder::{Codec, Encoder, EncoderKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;

/// Whether a worker is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It takes jobs.
    Ready,
    /// It finishes what it has.
    Draining,
    /// It has nothing left, and takes no more until it is told to.
    Drained,
    /// Its working hours are over.
    OffHours,
    /// It failed too often in a row, and so did an encode of its own.
    Quarantined,
    /// It has missed its heartbeats.
    Lost,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WorkerRow {
    /// Who.
    #[schema(value_type = String)]
    pub name: WorkerName,
    /// Whether it is there.
    pub status: Presence,
    /// Why it takes no jobs, in its own words.
    pub note: Option<String>,
    /// When that changes; in quarantine, when it next proves its encoders.
    pub until: Option<Moment>,
    /// When it was last heard of; told only of those that are lost, as it
    /// changes all the time for the others.
    pub last_seen: Option<Moment>,
    /// When it started.
    pub started: Moment,
    /// Jobs that it runs at once, at the most.
    pub slots: u32,
    /// Jobs that it runs.
    #[schema(value_type = Vec<String>)]
    pub running: Vec<JobId>,
    /// Share of all cores in use.
    pub cpu: f32,
    /// Share of memory in use.
    pub memory: f32,
    /// Free bytes for scratch files.
    pub scratch_free: u64,
    /// Stores and folders that it cannot reach.
    pub away: Vec<AwayRow>,
    /// Whole seconds by which its clock is ahead of the broker's; negative where
    /// it is behind.
    pub clock_ahead: f64,
}

/// A store or folder that a worker cannot reach.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AwayRow {
    /// The bucket or the folder.
    pub place: String,
    /// Since when.
    pub since: Moment,
    /// What the store or the system says.
    pub error: String,
}

/// What each worker has proved. A section of its own: large, and seldom new.
pub type Cards = BTreeMap<WorkerName, CardRow>;

/// What a worker has proved.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CardRow {
    /// The machine's name.
    pub host: String,
    /// Its operating system.
    pub os: String,
    /// Its processor.
    pub cpu: String,
    /// Its cores.
    pub cores: u32,
    /// Its memory in bytes.
    pub memory: u64,
    /// Its ffmpeg.
    pub ffmpeg: String,
    /// Encoders that passed, hardware and fast ones first.
    pub encoders: Vec<EncoderRow>,
    /// Encoders that did not, with ffmpeg's own words.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub refused: BTreeMap<Encoder, String>,
    /// Audio encoders that passed.
    pub audio: Vec<String>,
    /// Filters of interest that its ffmpeg lists.
    pub filters: Vec<String>,
    /// Muxers of interest that its ffmpeg lists.
    pub muxers: Vec<String>,
    /// Folders that it may read and write below.
    pub roots: Vec<String>,
    /// Bucket prefixes that it may use; whatever its credentials open, where none is named.
    pub buckets: Vec<String>,
}

/// A proved encoder.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EncoderRow {
    /// ffmpeg's name.
    #[schema(value_type = String)]
    pub name: Encoder,
    /// What it makes.
    #[schema(value_type = Option<String>)]
    pub codec: Option<Codec>,
    /// What it runs on.
    #[schema(value_type = String)]
    pub kind: EncoderKind,
    /// Frames per second at 1280×720.
    pub fps: f32,
    /// Largest picture.
    pub largest: (u32, u32),
    /// Bits per sample that it was seen to encode.
    pub depths: Vec<u8>,
    /// Encodes at once, where the device limits them.
    pub sessions: Option<u32>,
}
