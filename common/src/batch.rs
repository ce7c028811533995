//! Batches: what one command enqueued together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::BatchId;

/// What is kept of a batch; its jobs carry its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// What a person may know it by, e.g. the folder that was given.
    pub label: String,
    /// Jobs that were added with it.
    pub jobs: u64,
    /// When it was enqueued.
    pub enqueued: Timestamp,
}
