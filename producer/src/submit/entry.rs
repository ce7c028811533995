//! A source with its job, and what has become of it.

use common::broker::Holder;
use common::job::Job;
use common::job::run::Run;

use crate::download::event::DownloadResult;

/// One source on its way to its output, with where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The source's path below the folder that was given, for people.
    pub name: String,
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub state: EntryState,
    /// Whether it was done before, and its output is gone.
    pub is_gone: bool,
    /// What became of its result, where that is brought home.
    pub download: Option<DownloadResult>,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EntryState {
    /// Handed in just now.
    Added,
    /// It was waiting already.
    Pending,
    /// It was taken before: under way, or ended.
    Run(Box<Run>),
    /// Not submitted: what is at its output was not made by this job. Says whose it is
    /// and what to do.
    Occupied(String),
    /// Not submitted: another job is about to make its output.
    OutputTaken(Holder),
}

impl Entry {
    /// Whether something is still to happen.
    pub(crate) fn is_open(&self) -> bool {
        match &self.state {
            EntryState::Added | EntryState::Pending => true,
            EntryState::Run(run) => !run.state.is_terminal(),
            EntryState::Occupied(_) | EntryState::OutputTaken(_) => false,
        }
    }
}
