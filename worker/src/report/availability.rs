//! Whether a worker takes jobs just now, as it says of itself.

use common::farm::worker::WorkerStatus;
use jiff::Timestamp;

/// What a worker says of itself, and whether it takes jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// In one word.
    pub status: WorkerStatus,
    /// Why, for people.
    pub note: Option<String>,
    /// When that changes, where it is known; in quarantine, when it next proves
    /// its encoders: not told while it does.
    pub until: Option<Timestamp>,
}

impl Availability {
    /// Whether it takes jobs.
    pub fn is_ready(&self) -> bool {
        self.status == WorkerStatus::Ready
    }
}
