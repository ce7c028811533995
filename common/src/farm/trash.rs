//! Questions to a worker about replaced sources, and its answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::id::{BatchId, JobId};
use crate::names::location::Location;
use crate::wire;

/// A request to a worker that reaches a trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrashRequest {
    /// Put the source of a job back; answered by whether it was put back now.
    Undo {
        /// The job.
        job: JobId,
        /// Whether to find out only if that can be done.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_dry: bool,
    },
    /// Tell what a trash holds; answered by [`TrashContents`].
    List {
        /// The trash.
        trash: Location,
    },
    /// Remove the sources of a batch for good; answered by [`TrashContents`] of what was removed.
    Empty {
        /// The trash.
        trash: Location,
        /// The batch.
        batch: BatchId,
    },
}

impl wire::Message for TrashRequest {}

/// What a trash holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrashContents {
    /// The batches, the oldest first.
    pub batches: Vec<TrashedBatch>,
}

impl wire::Message for TrashContents {}

/// The sources that a trash holds of one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrashedBatch {
    /// The trash.
    pub trash: Location,
    /// The batch.
    pub batch: BatchId,
    /// Number of sources.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the last of them may be removed.
    pub until: Timestamp,
}
