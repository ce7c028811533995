//! The state as it is shown: what `/api/v1/state` answers and the page draws.
//!
//! Every field of [`Snapshot`] is one section of the live stream, sent only
//! when it has changed. So nothing in here depends on the time at which it is
//! asked for: points in time are sent, and whoever shows them counts ages.

pub mod attention;
pub mod jobs;
pub mod moment;
pub mod queues;
pub mod workers;

use common::farm::orders::{Controls, Target};
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::shared::Progress as Listing;
use crate::snapshot::attention::Attention;
use crate::snapshot::jobs::{EndedRow, NextRow, RetryRow, RunningRow};
use crate::snapshot::moment::Moment;
use crate::snapshot::queues::QueueRow;
use crate::snapshot::workers::WorkerRow;

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
