//! A source with its job, and what has become of it.

use common::broker::Holder;
use common::job::Job;
use common::job::run::Run;

use crate::download::event::Brought;

/// One source on its way to its output, with where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The source's path below the folder that was given, for people.
    pub name: String,
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it was done before, and its output is gone.
    pub is_gone: bool,
    /// What became of its result, where that is brought home.
    pub brought: Option<Brought>,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
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
        match &self.standing {
            Standing::Added | Standing::Pending => true,
            Standing::Run(run) => !run.state.is_terminal(),
            Standing::Occupied(_) | Standing::OutputTaken(_) => false,
        }
    }
}
