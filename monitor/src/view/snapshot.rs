//! The state as it is shown: what `/api/v1/state` answers and the page draws.
//!
//! Every field of [`Snapshot`] is one section of the live stream, sent only
//! when it has changed. So nothing in here depends on the time at which it is
//! asked for: points in time are sent, and whoever shows them counts ages.

use std::collections::BTreeMap;

use common::farm::orders::{Controls, Target};
use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::failure::Fault;
use common::job::id::{BatchId, JobId};
use common::job::run::Stage;
use common::matching::outlook::Past;
use common::recipe::encoder::{Codec, Encoder, Kind};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::listing::Progress as Listing;

/// A point in time, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String)]
pub struct Moment(pub Timestamp);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// All that the monitor shows, but for the [`Cards`].
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Snapshot {
    /// Whether there is a broker to show anything of.
    pub broker: Broker,
    /// Sums over everything.
    pub totals: Totals,
    /// What a person should look at first.
    pub attention: Vec<Attention>,
    /// Every queue that has a lane, by name.
    pub queues: Vec<QueueRow>,
    /// Every worker, by name.
    pub workers: Vec<WorkerRow>,
    /// Jobs that a worker is at, the longest running first.
    pub running: Vec<RunningRow>,
    /// Jobs that were tried and will be tried again, the next one first.
    pub retrying: Vec<RetryRow>,
    /// Jobs that wait, the next one first, and those that no worker takes last;
    /// as many as a person would read.
    pub next: Vec<NextRow>,
    /// Jobs that ended, the latest first; as many as a person would read.
    pub recent: Vec<EndedRow>,
    /// Orders that are in force.
    pub controls: Vec<ControlRow>,
    /// How far the listing of all jobs is.
    pub listing: Listing,
}

/// The link to the broker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Broker {
    /// Whether it answers.
    pub connected: bool,
    /// Since when.
    pub since: Moment,
    /// What is wrong, in one line.
    pub error: Option<String>,
}

/// Sums over everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Totals {
    /// Jobs that wait.
    pub pending: u64,
    /// Jobs that a worker is at.
    pub running: usize,
    /// Frames per second of all encodes together.
    pub fps: f32,
    /// Live workers.
    pub workers: usize,
    /// Their slots.
    pub slots: u32,
    /// Jobs that ended since `since`.
    pub completed: usize,
    /// Likewise.
    pub failed: usize,
    /// Likewise.
    pub cancelled: usize,
    /// Bytes that the completed ones took before.
    pub input_bytes: u64,
    /// Bytes that they take now.
    pub output_bytes: u64,
    /// From when on endings are counted; `None` where all are.
    pub since: Option<Moment>,
}

/// What a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// Jobs wait that no worker can take.
    Unserved {
        /// Why none takes them.
        why: Unserved,
        /// The jobs.
        waiting: Vec<Held>,
    },
    /// Workers take no jobs, all of them for one cause.
    Unavailable {
        /// Which.
        cause: Presence,
        /// The workers, by name.
        workers: Vec<Unavailable>,
        /// What waits for them.
        waiting: Vec<Held>,
    },
    /// Workers cannot reach a store or a folder.
    PlaceAway {
        /// The bucket or the folder.
        place: String,
        /// How many cannot.
        workers: usize,
        /// One of them.
        #[schema(value_type = String)]
        worker: WorkerName,
        /// Since when.
        since: Moment,
        /// What the store or the system says to that one.
        error: String,
    },
    /// A worker's clock is far from the broker's.
    ClockOff {
        /// Who.
        #[schema(value_type = String)]
        worker: WorkerName,
        /// Seconds by which it is ahead; negative where it is behind.
        ahead: f64,
    },
    /// Things on the broker cannot be read.
    Unreadable {
        /// How many.
        count: usize,
        /// The subject of the first.
        subject: String,
        /// What is wrong with it.
        why: String,
    },
    /// Jobs failed lately.
    Failed {
        /// How many.
        count: usize,
        /// The latest.
        #[schema(value_type = String)]
        job: JobId,
        /// Its name.
        name: String,
        /// Why it failed.
        reason: String,
        /// When.
        at: Moment,
    },
}

/// Jobs that wait in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Held {
    /// Which queue.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// How many.
    pub pending: u64,
    /// Where no worker has proved the encoder: others of the same codec that
    /// live workers have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub alternatives: Vec<Encoder>,
}

/// A worker that takes no jobs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Unavailable {
    /// Who.
    #[schema(value_type = String)]
    pub worker: WorkerName,
    /// Why, in its own words.
    pub note: Option<String>,
    /// When that changes; in quarantine, when it next proves its encoders.
    pub until: Option<Moment>,
    /// When it was last heard of, where it is lost.
    pub last_seen: Option<Moment>,
    /// Jobs that it runs, or ran when it was last heard of.
    pub running: usize,
}

/// Why no worker takes the jobs of a queue. Of several causes the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unserved {
    /// A person has paused the queue.
    Paused,
    /// Those that could are in quarantine.
    Quarantined,
    /// Those that could were told to take no more.
    Drained,
    /// The working hours of those that could are over.
    OffHours,
    /// Those that could have missed their heartbeats.
    Lost,
    /// The worker that it is meant for is not there.
    NotThere,
    /// There is no live worker at all.
    NoWorkers,
    /// No live worker has proved what it takes.
    NotProved,
}

/// A standing order.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ControlRow {
    /// `queue.NAME`, `worker.NAME` or `batch.ID`.
    pub target: String,
    /// Nothing new of it is to be started.
    pub paused: bool,
    /// When in the week a worker may start jobs.
    pub hours: Option<String>,
    /// Since when.
    pub since: Moment,
}

impl ControlRow {
    /// Every order that is in force.
    pub fn all(controls: &Controls) -> Vec<Self> {
        let row = |(target, order): (&Target, &common::farm::orders::Order)| Self {
            target: target.to_string(),
            paused: order.paused,
            hours: order.hours.as_ref().map(ToString::to_string),
            since: Moment(order.since),
        };
        controls.iter().map(row).collect()
    }
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueRow {
    /// Which.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// Jobs that wait.
    pub pending: u64,
    /// Those by priority, the most urgent first; priorities with none left out.
    #[schema(value_type = Vec<(u8, u64)>)]
    pub by_priority: Vec<(Priority, u64)>,
    /// Jobs that a worker is at.
    pub running: usize,
    /// Since when the job waits that waits longest.
    pub oldest: Option<Moment>,
    /// Workers that would take its jobs.
    pub served_by: usize,
    /// The first few of them.
    #[schema(value_type = Vec<String>)]
    pub servers: Vec<WorkerName>,
    /// Seconds until all its jobs have ended, those that run and those that wait.
    pub eta: Option<f64>,
    /// Slots of the workers that would take its jobs.
    pub slots: u32,
    /// What its jobs took lately.
    #[serde(skip)]
    pub past: Past,
    /// Whether a person has paused it.
    pub paused: bool,
    /// Why none does, where jobs wait.
    pub unserved: Option<Unserved>,
}

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
    pub kind: Kind,
    /// Frames per second at 1280×720.
    pub fps: f32,
    /// Largest picture.
    pub largest: (u32, u32),
    /// Bits per sample that it was seen to encode.
    pub depths: Vec<u8>,
    /// Encodes at once, where the device limits them.
    pub sessions: Option<u32>,
}

/// A job as all rows name it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JobName {
    /// Which.
    #[schema(value_type = String)]
    pub id: JobId,
    /// Its input's name, as hostile as its owner made it.
    pub name: String,
    /// Where the input lies.
    pub folder: String,
}

/// A job that a worker is at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RunningRow {
    /// Which.
    pub job: JobName,
    /// What it was enqueued with.
    #[schema(value_type = String)]
    pub batch: BatchId,
    /// By whom it may be run.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// How urgent it is.
    #[schema(value_type = u8)]
    pub priority: Priority,
    /// By whom it is run.
    #[schema(value_type = String)]
    pub worker: WorkerName,
    /// Whether that worker has fallen silent.
    pub worker_lost: bool,
    /// Since when.
    pub since: Moment,
    /// Which attempt this is.
    pub attempt: u32,
    /// What the worker is busy with.
    #[schema(value_type = String)]
    pub stage: Stage,
    /// Done share of the stage.
    pub fraction: Option<f32>,
    /// Seconds until the whole job has ended.
    pub eta: Option<f64>,
    /// Frames per second.
    pub fps: Option<f32>,
    /// Times real time.
    pub speed: Option<f32>,
    /// Bits per second of the output.
    pub bitrate: Option<f32>,
    /// Bytes of the input.
    pub input_size: u64,
    /// Bytes of output so far.
    pub output_size: Option<u64>,
}

/// A job that will be tried again.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RetryRow {
    /// Which.
    pub job: JobName,
    /// By whom it may be run.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// When the next attempt may start.
    pub until: Moment,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why the last one did, without the path.
    pub reason: String,
}

/// A job that waits.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NextRow {
    /// Which.
    pub job: JobName,
    /// By whom it may be run.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// How urgent it is.
    #[schema(value_type = u8)]
    pub priority: Priority,
    /// When it was enqueued.
    pub enqueued: Moment,
    /// Bytes of its input.
    pub input_size: u64,
    /// Why no worker takes it; such jobs come after those that one takes.
    pub unserved: Option<Unserved>,
}

/// A job that ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EndedRow {
    /// Which.
    pub job: JobName,
    /// By whom it might be run.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// When it ended.
    pub ended: Moment,
    /// Who was at it last.
    #[schema(value_type = Option<String>)]
    pub worker: Option<WorkerName>,
    /// Attempts that it took.
    pub attempts: u32,
    /// How it ended.
    pub ending: Ending,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Ending {
    /// Its output is there.
    Completed {
        /// What encoded it.
        #[schema(value_type = Option<String>)]
        encoder: Option<Encoder>,
        /// Bytes before.
        input_size: u64,
        /// Bytes after.
        output_size: u64,
        /// Mean frames per second.
        fps: f64,
        /// Seconds from claim to end.
        seconds: f64,
        /// What is lost or converted that nobody asked for: the worst of it, in words.
        news: Option<String>,
        /// How much more of that there is.
        further_news: usize,
    },
    /// It failed for good.
    Failed {
        /// Whose fault.
        #[schema(value_type = String)]
        fault: Fault,
        /// Why, without the path.
        reason: String,
    },
    /// A person cancelled it.
    Cancelled,
}
