//! What holds a job, or became of it, as data.

use jiff::Timestamp;
use serde::Serialize;

use crate::farm::queue::Queue;
use crate::farm::worker::Away;
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::job::record::QueueAhead;
use crate::job::run::Stage;
use crate::matching::plan::Alternative;

/// Why a job is where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// What holds it, or became of it.
    #[serde(flatten)]
    pub cause: Cause,
    /// The further queue that is opened to it next.
    pub opens: Option<Opening>,
}

/// A queue that will be opened to a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opening {
    /// The queue of the fallback.
    pub queue: Queue,
    /// From then on workers of that queue may take the job.
    pub at: Timestamp,
}

/// What holds a job, or became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// It is done.
    Completed {
        /// Who did it.
        worker: WorkerName,
        /// When the job ended, by the broker's clock.
        at: Timestamp,
    },
    /// It failed for good.
    Failed {
        /// How often it was tried.
        attempts: usize,
        /// What went wrong last.
        message: String,
    },
    /// A person cancelled it.
    Cancelled {
        /// When the job ended, by the broker's clock.
        at: Timestamp,
    },
    /// A worker is at it.
    Running {
        /// The worker that has claimed the job.
        worker: WorkerName,
        /// What it is busy with, as far as its run says.
        stage: Stage,
        /// When the attempt began.
        since: Timestamp,
        /// What its worker cannot reach now, of what it needs.
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<Away>,
    },
    /// Its worker gives no sign of life.
    Vanished {
        /// Who had it.
        worker: WorkerName,
    },
    /// An attempt failed; the next one has its time.
    Retry {
        /// When the next attempt is due.
        until: Timestamp,
        /// Who tried last.
        worker: Option<WorkerName>,
        /// What went wrong.
        message: String,
    },
    /// Its batch is paused.
    BatchPaused {
        /// The paused batch.
        batch: BatchId,
    },
    /// Its queue is paused.
    QueuePaused {
        /// Which; several where it waits in several.
        queues: Vec<Queue>,
    },
    /// It is pinned to a worker that is not alive.
    Offline {
        /// The worker that the job is pinned to.
        worker: WorkerName,
    },
    /// No worker is alive.
    NoWorker,
    /// Nobody has proved what it needs.
    Unproved {
        /// Why each live worker cannot.
        workers: Vec<Reason>,
        /// What they have proved instead for the same codec.
        instead: Vec<Alternative>,
    },
    /// Who could run it takes other jobs only.
    Unwilling {
        /// What each of them takes.
        workers: Vec<Reason>,
    },
    /// Who would run it takes no jobs just now.
    Resting {
        /// What each of them does instead.
        workers: Vec<Reason>,
        /// Those of them that `producer resume` has take jobs at once.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        resumable: Vec<WorkerName>,
    },
    /// Who would run it cannot reach what it needs.
    Away {
        /// What each of them cannot reach, and why.
        workers: Vec<Reason>,
    },
    /// Nothing goes before it.
    Next {
        /// Who has a free slot for it.
        workers: Vec<WorkerName>,
    },
    /// It waits for its turn.
    InLine {
        /// Jobs before it.
        ahead: QueueAhead,
        /// Workers that run such jobs.
        workers: usize,
        /// Whether all of them are busy.
        is_busy: bool,
        /// Seconds until it starts, judged by what jobs took lately.
        starts_in: Option<f64>,
    },
}

/// Why a worker does not take a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The worker that does not take the job.
    pub worker: WorkerName,
    /// Why not.
    pub reason: String,
}
