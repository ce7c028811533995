//! The state as it is shown: what `/api/v1/state` answers and the page draws.
//!
//! Every field of [`Snapshot`] is one section of the live stream, sent only when it has changed. So
//! no field depends on the time of the request: fields hold points in time, and the page computes
//! ages.

pub mod attention;
pub mod jobs;
pub mod moment;
pub mod queues;
pub mod workers;

use common::farm::orders::{Orders, Target};
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::shared::Progress as Listing;
use crate::snapshot::attention::Attention;
use crate::snapshot::jobs::{EndedRow, NextRow, RetryRow, RunningRow};
use crate::snapshot::moment::Moment;
use crate::snapshot::queues::QueueRow;
use crate::snapshot::workers::WorkerRow;

/// The live state without the workers' capabilities.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Snapshot {
    pub broker: Broker,
    /// Sums over the whole farm.
    pub totals: Totals,
    /// What needs attention, the most urgent first.
    pub attention: Vec<Attention>,
    /// Every queue that has a lane, by name.
    pub queues: Vec<QueueRow>,
    /// Every worker, by name.
    pub workers: Vec<WorkerRow>,
    /// Running jobs, the longest running first.
    pub running: Vec<RunningRow>,
    /// Jobs that wait for a retry, the next one first.
    pub retrying: Vec<RetryRow>,
    /// The first pending jobs, the next one first. Jobs that no worker takes come last.
    pub next: Vec<NextRow>,
    /// The latest jobs that ended, the latest first.
    pub recent: Vec<EndedRow>,
    /// Orders that are in force.
    pub controls: Vec<ControlRow>,
    /// How much of all jobs is in the index.
    pub listing: Listing,
}

/// The connection to the broker.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Broker {
    /// Whether the broker answers.
    pub connected: bool,
    pub since: Moment,
    /// Why the broker does not answer, in one line.
    pub error: Option<String>,
}

/// Sums over the whole farm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Totals {
    /// Pending jobs.
    pub pending: u64,
    /// Running jobs.
    pub running: usize,
    /// Frames per second of all encodes together.
    pub fps: f32,
    /// Live workers.
    pub workers: usize,
    /// Slots of all live workers.
    pub slots: u32,
    /// Jobs completed since `since`, checks among them.
    pub completed: usize,
    /// Of the completed jobs, the checks. They write nothing, and their bytes are in no sum.
    pub checked: usize,
    /// Jobs kept since `since`.
    pub kept: usize,
    pub failed: usize,
    pub cancelled: usize,
    /// Sizes of the inputs of completed encodes together, in bytes.
    pub input_bytes: u64,
    /// Sizes of the outputs of completed encodes together, in bytes.
    pub output_bytes: u64,
    /// The time from which ended jobs are counted; `None` if all are.
    pub since: Option<Moment>,
}

/// An order that is in force.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ControlRow {
    /// `queue.NAME`, `worker.NAME` or `batch.ID`.
    pub target: String,
    /// Whether no new job of the target may start.
    pub paused: bool,
    /// When in the week a worker may start jobs.
    pub hours: Option<String>,
    pub since: Moment,
}

impl ControlRow {
    /// Every order that is in force.
    pub fn all(controls: &Orders) -> Vec<Self> {
        let row = |(target, order): (&Target, &common::farm::orders::Order)| Self {
            target: target.to_string(),
            paused: order.paused,
            hours: order.hours.as_ref().map(ToString::to_string),
            since: Moment(order.since),
        };
        controls.iter().map(row).collect()
    }
}
