//! How many files stand how.

use common::job::id::BatchId;
use common::job::run::RunState;
use serde::Serialize;

use crate::download::event::DownloadResult;
use crate::submit::entry::{Entry, EntryState};

/// What came of submitting. Once all jobs have ended, each but `added` counts how it
/// has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// The batch of what was submitted now, where anything was.
    pub batch: Option<BatchId>,
    /// Handed in now.
    pub added: usize,
    /// Waiting: at first those that waited already.
    pub pending: usize,
    /// Under way.
    pub running: usize,
    /// Done.
    pub done: usize,
    /// Failed or cancelled.
    pub failed: usize,
    /// Left alone for the file at their output.
    pub skipped: usize,
    /// Results that are where they were to be download.
    pub downloaded: usize,
    /// Refused, as another job is about to make their output.
    pub refused: usize,
    /// Of those that are done: those whose output is gone.
    pub gone: usize,
}

impl Counts {
    /// Counts entries as they stand after submitting.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.gone += usize::from(entry.is_gone);
            let download = entry.download.as_ref().and_then(DownloadResult::path);
            counts.downloaded += usize::from(download.is_some());
            let count = match &entry.state {
                EntryState::Added => {
                    counts.batch = Some(entry.job.batch);
                    &mut counts.added
                }
                EntryState::Pending => &mut counts.pending,
                EntryState::Occupied(_) => &mut counts.skipped,
                EntryState::OutputTaken(_) => &mut counts.refused,
                EntryState::Run(run) => match run.state {
                    RunState::Completed { .. } => &mut counts.done,
                    RunState::Failed { .. } | RunState::Cancelled => &mut counts.failed,
                    RunState::Running { .. } => &mut counts.running,
                    RunState::Queued { .. } | RunState::Waiting { .. } => &mut counts.pending,
                },
            };
            *count += 1;
        }
        counts
    }

    /// The same at the end: what was submitted counts as what has become of it, too.
    #[must_use]
    pub(crate) fn at_end(self, entries: &[Entry]) -> Self {
        let now = Self::of(entries);
        Self {
            batch: self.batch,
            added: self.added,
            pending: now.pending + now.added,
            ..now
        }
    }

    /// The counts in words.
    pub(crate) fn in_words(self) -> String {
        let mut parts = vec![match self.batch {
            None => "nothing to add".to_owned(),
            Some(batch) => format!("{} added (batch {batch})", self.added),
        }];
        let others = [
            (self.pending, "pending already"),
            (self.running, "running already"),
            (self.done, "done already"),
            (self.failed, "failed earlier (--again tries anew)"),
            (
                self.skipped,
                "skipped, for their outputs exist (--overwrite replaces them)",
            ),
            (
                self.refused,
                "refused, for another job is making their outputs",
            ),
            (
                self.gone,
                "of those done have lost their outputs (--missing makes them anew)",
            ),
        ];
        parts.extend(
            others
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        parts.join(", ")
    }
}
