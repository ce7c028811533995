//! What is at the outputs before their jobs are submitted.

use std::collections::HashMap;

use crate::names::location::Location;
use crate::submit::output_job::{JobsByOutput, OutputJob};

/// A file at an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExistingFile {
    /// Its size in bytes.
    pub size: u64,
    /// Whether the file is only in the folder that results are downloaded to.
    pub is_download: bool,
}

/// The files at the outputs, and the jobs that the outputs belong to.
#[derive(Clone, Debug, Default)]
pub struct ExistingOutputs {
    /// The files, by output.
    pub files: HashMap<Location, ExistingFile>,
    /// The last job of each output.
    pub jobs: JobsByOutput,
}

impl ExistingOutputs {
    /// The file at an output.
    pub fn file(&self, output: &Location) -> Option<ExistingFile> {
        self.files.get(output).copied()
    }

    /// The last job of an output.
    pub fn last_job(&self, output: &Location) -> Option<&OutputJob> {
        self.jobs.get(output)
    }
}
