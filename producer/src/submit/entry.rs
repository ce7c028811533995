//! A source with its job, and the state of both.

use common::broker::ClaimHolder;
use common::job::Job;
use common::job::run::Run;

use crate::download::event::DownloadResult;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The source's path below the folder that was given, for people.
    pub name: String,
    pub job: Job,
    pub state: EntryState,
    /// Whether the job has completed and its output is missing.
    pub is_gone: bool,
    /// The result of the download, where there was one.
    pub download: Option<DownloadResult>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EntryState {
    /// Submitted now.
    Added,
    /// Submitted earlier, and not claimed yet.
    Pending,
    /// Claimed earlier.
    Run(Box<Run>),
    /// Not submitted: another file is at the output. Says whose it is and what to do.
    Occupied(String),
    /// Not submitted: another job makes the output.
    OutputTaken(ClaimHolder),
}

impl Entry {
    /// Whether its job has not ended.
    pub(crate) fn is_open(&self) -> bool {
        match &self.state {
            EntryState::Added | EntryState::Pending => true,
            EntryState::Run(run) => !run.state.is_terminal(),
            EntryState::Occupied(_) | EntryState::OutputTaken(_) => false,
        }
    }
}
