//! Whether a worker takes jobs now.

use common::farm::worker::WorkerStatus;
use jiff::Timestamp;

/// Whether a worker takes jobs now, as its heartbeat states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    pub status: WorkerStatus,
    /// The reason, for people.
    pub note: Option<String>,
    /// When the status changes, if that is known. In quarantine this is the time of the next proof encode; `None`
    /// while it runs.
    pub until: Option<Timestamp>,
}

impl Availability {
    pub fn is_ready(&self) -> bool {
        self.status == WorkerStatus::Ready
    }
}
