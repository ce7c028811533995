//! Jobs as rows: running, to be tried again, next, ended.

use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::Fault;
use common::job::id::{BatchId, JobId};
use common::job::run::Stage;
use common::recipe::encoder::Encoder;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;
use crate::snapshot::queues::Unserved;

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

/// How every row names a job.
pub(crate) fn name(job: &Job) -> JobName {
    let location = &job.input.location;
    let key = location.key();
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    JobName {
        id: job.id,
        name: location.name(),
        folder: match location.bucket() {
            Some(bucket) => format!("s3://{bucket}/{folder}")
                .trim_end_matches('/')
                .to_owned(),
            None => format!("/{folder}"),
        },
    }
}
