//! Queues, as the page shows them.

use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::matching::outlook::Past;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;

/// Why no worker takes the jobs of a queue. If there are several causes, the first of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unserved {
    /// The queue is paused.
    Paused,
    /// The workers that serve the queue are in quarantine.
    Quarantined,
    /// The workers that serve the queue were told to drain.
    Drained,
    /// The workers that serve the queue are outside their working hours.
    OffHours,
    /// The workers that serve the queue are lost.
    Lost,
    /// The one worker of the queue is not there.
    NotThere,
    /// No worker is alive.
    NoWorkers,
    /// No live worker has proved the encoder.
    NotProved,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QueueRow {
    pub queue: Queue,
    /// Pending jobs, and parts of split jobs that wait for a worker: what a further worker could begin now.
    pub pending: u64,
    /// How many of these are parts.
    pub parts: u64,
    /// The jobs that wait there, whole or with some of their parts.
    #[serde(skip)]
    pub held_up: u64,
    /// `pending` by priority, the most urgent first. Priorities without jobs are left out.
    pub by_priority: Vec<(Priority, u64)>,
    /// Running jobs.
    pub running: usize,
    /// When the oldest pending job was enqueued, or its parts were.
    pub oldest: Option<Moment>,
    /// How many workers serve the queue now.
    pub served_by: usize,
    /// The first of these workers, by name.
    pub servers: Vec<WorkerName>,
    /// Estimated seconds until all running and pending jobs of the queue have ended.
    pub eta: Option<f64>,
    /// Slots of these workers.
    pub slots: u32,
    /// How long recent jobs of the queue took.
    #[serde(skip)]
    pub past: Past,
    pub paused: bool,
    /// Why no worker serves the queue although jobs wait.
    pub unserved: Option<Unserved>,
}
