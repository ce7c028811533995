//! What needs attention.

use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;
use crate::snapshot::queues::Unserved;
use crate::snapshot::workers::Presence;

/// Something that needs a person's attention.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// Jobs wait that no worker can take.
    Unserved {
        why: Unserved,
        /// The jobs, by queue.
        waiting: Vec<WaitingJobs>,
    },
    /// Workers take no jobs, all for the same cause.
    Unavailable {
        cause: Presence,
        workers: Vec<Unavailable>,
        /// Jobs that wait for these workers, by queue.
        waiting: Vec<WaitingJobs>,
    },
    /// Workers cannot reach a store or a folder.
    PlaceAway {
        /// The bucket or the folder.
        place: String,
        /// How many workers cannot reach the place.
        workers: usize,
        /// One of these workers.
        worker: WorkerName,
        /// Since when that worker cannot reach the place.
        since: Moment,
        /// The error that this worker gets from the store or the operating system.
        error: String,
    },
    /// A worker's clock is far from the broker's.
    ClockOff {
        worker: WorkerName,
        /// Seconds by which the clock is ahead; negative if it is behind.
        ahead: f64,
    },
    /// Some things on the broker cannot be read.
    Unreadable {
        count: usize,
        /// The subject of the first of them.
        subject: String,
        /// What is wrong with the first of them.
        why: String,
    },
    /// Jobs failed in the last hours.
    Failed {
        count: usize,
        /// The latest of them.
        job: JobId,
        /// The name of that job.
        name: String,
        reason: String,
        /// When that job failed.
        at: Moment,
    },
}

/// Pending jobs of one queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WaitingJobs {
    pub queue: Queue,
    /// The jobs that wait, whole or with some of their parts.
    pub pending: u64,
    /// Encoders of the same codec that live workers have, if no worker has proved this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Encoder>,
}

/// A worker that takes no jobs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Unavailable {
    pub worker: WorkerName,
    /// Why the worker takes no jobs, in its own words.
    pub note: Option<String>,
    /// When the status changes; in quarantine, when the worker next proves its encoders.
    pub until: Option<Moment>,
    /// The last heartbeat, if the worker is lost.
    pub last_seen: Option<Moment>,
    /// Running jobs, as of the last heartbeat.
    pub running: usize,
}
