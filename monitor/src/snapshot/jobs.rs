//! Jobs as the page shows them: running, waiting for a retry, next, ended.

use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::Fault;
use common::job::id::{BatchId, JobId};
use common::job::run::Stage;
use common::matching::parts::Parts;
use common::recipe::encoder::Encoder;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;
use crate::snapshot::queues::Unserved;

/// The name of a job in every row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JobName {
    pub id: JobId,
    /// The file name of the input. It is shown as it is, so it may be hostile.
    pub name: String,
    /// The folder of the input.
    pub folder: String,
}

/// A running job.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RunningRow {
    pub job: JobName,
    /// The batch of the job.
    pub batch: BatchId,
    pub queue: Queue,
    pub priority: Priority,
    /// The owner of the job; `None` while its parts are encoded, which have owners of their own: see `split`.
    pub worker: Option<WorkerName>,
    /// Whether heartbeats of that worker, or of one that runs a part, are missing.
    pub worker_lost: bool,
    /// When the attempt began, or the job was split.
    pub since: Moment,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The stage of the attempt.
    pub stage: Stage,
    /// Share of the stage that is done, 0 to 1.
    pub fraction: Option<f32>,
    /// Estimated seconds until the job ends.
    pub eta: Option<f64>,
    /// Encoding speed in frames per second.
    pub fps: Option<f32>,
    /// Encoding speed as a multiple of real time.
    pub speed: Option<f32>,
    /// Bit rate of the output in bits per second.
    pub bitrate: Option<f32>,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Size of the output so far in bytes.
    pub output_size: Option<u64>,
    /// How far the parts are, if the job is split. `GET /jobs/{job}/parts` tells of each.
    pub split: Option<SplitRow>,
}

/// The parts of a running job, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SplitRow {
    pub parts: u32,
    /// Those that are done.
    pub done: u32,
    /// Those that run.
    pub running: u32,
    /// The workers that run some, by name.
    pub workers: Vec<WorkerName>,
}

impl SplitRow {
    pub(crate) fn of(parts: &Parts) -> Self {
        let sum = parts.sum();
        Self {
            parts: sum.parts,
            done: sum.done,
            running: sum.running,
            workers: sum.workers,
        }
    }
}

/// A job that waits for a retry.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RetryRow {
    pub job: JobName,
    pub queue: Queue,
    pub until: Moment,
    /// Failed attempts so far.
    pub attempts: u32,
    /// Why the last attempt failed, without the path.
    pub reason: String,
}

/// A pending job.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct NextRow {
    pub job: JobName,
    pub queue: Queue,
    pub priority: Priority,
    pub enqueued: Moment,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Why no worker takes the job, if none does. Such jobs come last.
    pub unserved: Option<Unserved>,
}

/// A job that ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EndedRow {
    pub job: JobName,
    pub queue: Queue,
    pub ended: Moment,
    /// The last owner; `None` if several workers made the output in parts.
    pub worker: Option<WorkerName>,
    /// Number of attempts.
    pub attempts: u32,
    #[serde(rename = "ending")]
    pub end: JobEnd,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobEnd {
    /// The output is in place.
    Completed {
        /// The encoder; `None` if the video was copied.
        encoder: Option<Encoder>,
        /// Size of the input in bytes.
        input_size: u64,
        /// Size of the output in bytes.
        output_size: u64,
        /// Mean encoding speed in frames per second.
        fps: f64,
        /// Seconds from the claim to the end.
        seconds: f64,
        /// How many workers made the output.
        workers: usize,
        /// The worst change that the recipe did not ask for, as a sentence.
        news: Option<String>,
        /// How many more such changes there are.
        further_news: usize,
    },
    /// The input was checked; nothing was written.
    Checked {
        /// Size of the input in bytes.
        input_size: u64,
        /// Seconds from the claim to the end.
        seconds: f64,
        /// Whether damage was found.
        damaged: bool,
    },
    /// The original is the better result, by the rules of the job.
    Kept {
        /// Size of the input in bytes.
        input_size: u64,
        /// Why, as a sentence.
        reason: String,
    },
    /// No further attempt follows.
    Failed {
        fault: Fault,
        /// The reason, without the path.
        reason: String,
    },
    /// A person cancelled the job.
    Cancelled,
}

/// The name of a job: file name and folder of its input.
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
