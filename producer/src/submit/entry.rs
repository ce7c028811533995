//! A source with its job, and the state of both.

use common::broker::SubmittedJob;
use common::job::Job;
use common::submit::result::SubmitResult;

use crate::download::event::DownloadResult;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The source's path below the folder that was given, for people.
    pub name: String,
    pub job: Job,
    /// The result of submitting; while waiting, the latest run.
    pub state: SubmitResult,
    /// Whether the job has completed and its output is missing.
    pub is_gone: bool,
    /// The result of the download, if there was one.
    pub download: Option<DownloadResult>,
}

impl Entry {
    pub(crate) fn new(name: String, submitted: SubmittedJob) -> Self {
        Self {
            name,
            job: submitted.job,
            state: submitted.result,
            is_gone: submitted.is_gone,
            download: None,
        }
    }

    /// Whether the job has not ended.
    pub(crate) fn is_open(&self) -> bool {
        match &self.state {
            SubmitResult::Added | SubmitResult::Pending => true,
            SubmitResult::Run(run) => !run.state.is_terminal(),
            SubmitResult::Occupied(_) | SubmitResult::OutputTaken(_) => false,
        }
    }

    /// Why the source has no job; `None` if it has one.
    pub(crate) fn refusal(&self) -> Option<String> {
        match self.state {
            SubmitResult::Occupied(_) | SubmitResult::OutputTaken(_) => {
                advice(&self.state, &self.job)
            }
            SubmitResult::Added | SubmitResult::Pending | SubmitResult::Run(_) => None,
        }
    }
}

/// Why no job was added, and what options would help; `None` if one was added. `--replace` takes neither `-o` nor
/// `--overwrite`.
pub(crate) fn advice(result: &SubmitResult, job: &Job) -> Option<String> {
    let reason = result.reason()?;
    Some(match result {
        SubmitResult::Occupied(_) if job.replacement.is_some() => {
            format!("{reason}; move that file away, or give the outputs other names with --name")
        }
        SubmitResult::Occupied(_) => {
            format!("{reason}; choose another -o, or replace it with --overwrite")
        }
        _ => reason,
    })
}
