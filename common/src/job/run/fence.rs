//! The fence: the note that an owner writes into the run before its output may appear. A later owner can tell by it
//! whether the file at the output is this job's, and what may still appear there.

use serde::{Deserialize, Serialize};

use crate::job::run::report::Report;
use crate::names::digest::Digest;

/// The output that is about to appear, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fence {
    /// How the output appears.
    pub by: PublishMethod,
    /// Size of the whole output in bytes.
    pub size: u64,
    /// Digest of the whole output.
    pub digest: Digest,
    /// How each companion in the report appears, in the report's order; all appear before the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<PublishMethod>,
    /// Whether it is certain that this output has not appeared and never will.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_settled: bool,
    /// The report of the attempt, which completes the job if this output has appeared.
    pub report: Box<Report>,
}

/// The step by which an output appears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PublishMethod {
    /// The completion of the multipart upload with this id.
    Upload(String),
    /// The renaming of the file with this name in the output's folder.
    File(String),
}
