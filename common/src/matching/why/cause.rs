//! The cause of a job's state, as data.

use jiff::Timestamp;
use serde::Serialize;

use crate::farm::queue::Queue;
use crate::farm::worker::Away;
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::job::record::QueueAhead;
use crate::job::run::Stage;
use crate::matching::plan::Alternative;

/// Why a job is in its state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// The cause.
    #[serde(flatten)]
    pub cause: Cause,
    /// The fallback that opens to the job next.
    pub opens: Option<Opening>,
}

/// A queue that will open to a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opening {
    /// The fallback.
    pub queue: Queue,
    /// When workers of that queue may take the job.
    pub at: Timestamp,
}

/// Why a job waits, or how it ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The job is completed.
    Completed {
        /// The worker that completed it.
        worker: WorkerName,
        /// When the job ended, by the broker's clock.
        at: Timestamp,
    },
    /// The job was split, and its parts wait or run.
    Split {
        /// The number of its parts.
        parts: u32,
        /// The parts that are done.
        done: u32,
        /// The parts that run.
        running: u32,
        /// The parts that wait for a worker, or for their next attempt.
        waiting: u32,
        /// When it was split, by the broker's clock.
        since: Timestamp,
        /// Why no worker takes the parts that wait, if none does.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Box<Cause>>,
    },
    /// The original is the better result, by the rules of the job.
    Kept {
        /// The worker that decided.
        worker: WorkerName,
        /// When the job ended, by the broker's clock.
        at: Timestamp,
        /// The reason, for people.
        reason: String,
    },
    /// The job failed for good.
    Failed {
        /// Number of failed attempts.
        attempts: usize,
        /// The last failure.
        message: String,
    },
    /// A person cancelled the job.
    Cancelled {
        /// When the job ended, by the broker's clock.
        at: Timestamp,
    },
    /// A worker runs the job.
    Running {
        /// The worker that has claimed the job.
        worker: WorkerName,
        /// The stage in the run.
        stage: Stage,
        /// When the attempt began.
        since: Timestamp,
        /// A place that the job needs and its worker cannot reach now.
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<Away>,
    },
    /// The job's worker gives no sign of life.
    Vanished {
        /// The worker that owned the job.
        worker: WorkerName,
    },
    /// An attempt failed; the next one starts later.
    Retry {
        /// When the next attempt is due.
        until: Timestamp,
        /// The worker of the failed attempt.
        worker: Option<WorkerName>,
        /// The failure.
        message: String,
    },
    /// The job's batch is paused.
    BatchPaused {
        /// The paused batch.
        batch: BatchId,
    },
    /// All queues of the job are paused.
    QueuePaused {
        /// The paused queues.
        queues: Vec<Queue>,
    },
    /// The job is pinned to a worker that is not alive.
    Offline {
        /// The worker to which the job is pinned.
        worker: WorkerName,
    },
    /// No worker is alive.
    NoWorker,
    /// No live worker has proved what the job needs.
    Unproved {
        /// Each live worker, with the reason why it cannot run the job.
        workers: Vec<Reason>,
        /// Encoders of the same codec that live workers have proved.
        instead: Vec<Alternative>,
    },
    /// The workers that could run the job take other jobs only, by their settings.
    Unwilling {
        /// These workers, with what each takes.
        workers: Vec<Reason>,
    },
    /// The workers that would run the job take no jobs now.
    Resting {
        /// These workers, with what each does instead.
        workers: Vec<Reason>,
        /// The workers among them that take jobs at once after `producer resume`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        resumable: Vec<WorkerName>,
    },
    /// The workers that would run the job cannot reach a place that it needs.
    Away {
        /// These workers, with the place and the error.
        workers: Vec<Reason>,
    },
    /// No job comes before it.
    Next {
        /// The workers that have a free slot for it.
        workers: Vec<WorkerName>,
    },
    /// Other jobs come before it.
    InLine {
        /// Number of jobs before it.
        ahead: QueueAhead,
        /// Number of workers that take the job.
        workers: usize,
        /// Whether all of them are busy.
        is_busy: bool,
        /// Estimated seconds until it starts, from the times of recent jobs.
        starts_in: Option<f64>,
    },
}

/// Why a worker does not take a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The worker.
    pub worker: WorkerName,
    /// The reason, for people.
    pub reason: String,
}
