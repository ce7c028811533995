//! What became of a split.

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::part::Part;

/// How a completed job was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SplitReport {
    /// In parts.
    Parts(Vec<PartReport>),
    /// As a whole, for this reason.
    Whole(String),
    /// It is a chunk itself.
    Piece(PieceReport),
}

/// What the piece of a chunk must have in common with the others, to be joined with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PieceReport {
    /// The digest of its header.
    pub header: String,
    /// The build of ffmpeg that made it: see [`crate::farm::card::Ffmpeg::build`].
    pub build: String,
}

/// One part of a completed job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartReport {
    /// The part.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub part: Part,
    /// The worker that made it.
    pub worker: WorkerName,
    /// The attempt that made it, from 1.
    pub attempt: u32,
    /// Video frames.
    pub frames: u64,
    /// Wall time of ffmpeg's encode in seconds.
    pub encode_seconds: f64,
    /// Bytes of its piece.
    pub size: u64,
}
