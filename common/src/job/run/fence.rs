//! The fence: the note that an owner writes into the run before its output may appear. A later owner can tell by it
//! whether the file at the output is this job's, and what may still appear there.

use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::job::companion::Companion;
use crate::job::run::kept::KeptReport;
use crate::job::run::report::Report;
use crate::names::digest::Digest;
use crate::names::location::Location;

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
    /// The report of the attempt, which completes the job if this output has appeared; `None` if `kept` says how the
    /// job ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
    /// The report of a job that ends as kept if this copy of its original has appeared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<KeptReport>>,
}

impl Fence {
    /// Where the file appears: at the job's output, or where a copy of the original is to be.
    pub fn place<'a>(&'a self, job: &'a Job) -> &'a Location {
        let copy = self.kept.as_ref().and_then(|kept| kept.copy.as_ref());
        copy.unwrap_or(&job.output)
    }

    /// The files beside the output.
    pub fn companions(&self) -> &[Companion] {
        let report = self.report.as_ref();
        report.map_or(&[], |report| report.companions.as_slice())
    }
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
