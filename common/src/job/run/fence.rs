//! The note that an owner writes into the run before its output may appear: with
//! it, whoever goes on with the job can tell by looking whether what is at the
//! output is this job's, and what was still on its way there.

use serde::{Deserialize, Serialize};

use crate::job::run::report::Report;
use crate::names::digest::Digest;

/// What is about to appear at a job's output, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fence {
    /// By what it appears.
    pub by: PublishMethod,
    /// Bytes of the whole output.
    pub size: u64,
    /// Digest of the whole output.
    pub digest: Digest,
    /// Whether it has been made sure that nothing appears by this any more, and
    /// that nothing has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_settled: bool,
    /// What the job has made, if this is what is at the output.
    pub report: Box<Report>,
}

/// By what an output appears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishMethod {
    /// By the end of this multipart upload.
    Upload(String),
    /// By a new name for the file of this name, which lies in the output's folder.
    File(String),
}
