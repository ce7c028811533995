//! Queues as rows.

use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::matching::outlook::Past;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;

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
