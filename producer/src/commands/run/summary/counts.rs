//! Counts of jobs by state.

use common::job::id::BatchId;
use common::job::run::RunState;
use common::submit::result::SubmitResult;
use serde::Serialize;

use crate::download::event::DownloadResult;
use crate::submit::entry::Entry;

/// The result of a submission. After waiting, all fields but `batch` and `added` count how the jobs ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// The batch of the added jobs.
    pub batch: Option<BatchId>,
    pub added: usize,
    /// Waiting. Right after submitting, the added jobs are not counted here.
    pub pending: usize,
    pub running: usize,
    pub done: usize,
    /// Whose original is the better result.
    pub kept: usize,
    /// Failed or cancelled.
    pub failed: usize,
    /// Without a job, because their outputs exist.
    pub skipped: usize,
    /// Results that are in the local folder.
    pub downloaded: usize,
    /// Without a job, because another job makes the same output.
    pub refused: usize,
    /// Done, but their outputs are missing.
    pub gone: usize,
    /// Whether the outputs take the places of their sources.
    #[serde(skip)]
    pub replaces: bool,
}

impl Counts {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.replaces |= entry.job.replacement.is_some();
            counts.gone += usize::from(entry.is_gone);
            let download = entry.download.as_ref().and_then(DownloadResult::path);
            counts.downloaded += usize::from(download.is_some());
            let count = match &entry.state {
                SubmitResult::Added => {
                    counts.batch = Some(entry.job.batch);
                    &mut counts.added
                }
                SubmitResult::Pending => &mut counts.pending,
                SubmitResult::Occupied(_) => &mut counts.skipped,
                SubmitResult::OutputTaken(_) => &mut counts.refused,
                SubmitResult::Run(run) => match run.state {
                    RunState::Completed { .. } => &mut counts.done,
                    RunState::Kept { .. } => &mut counts.kept,
                    RunState::Failed { .. } | RunState::Cancelled => &mut counts.failed,
                    RunState::Running { .. } | RunState::Split { .. } => &mut counts.running,
                    RunState::Queued { .. } | RunState::Waiting { .. } => &mut counts.pending,
                },
            };
            *count += 1;
        }
        counts
    }

    /// The counts after waiting.
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

    /// What is told of the skipped files.
    pub(crate) fn why_skipped(self) -> &'static str {
        match self.replaces {
            true => "skipped because other files are at their outputs (--name gives other names)",
            false => "skipped because their outputs exist (--overwrite replaces them)",
        }
    }

    pub(crate) fn in_words(self) -> String {
        let mut parts = vec![match self.batch {
            None => "nothing to add".to_owned(),
            Some(batch) => format!("{} added (batch {batch})", self.added),
        }];
        let others = [
            (self.pending, "pending already"),
            (self.running, "running already"),
            (self.done, "done already"),
            (self.kept, "kept already"),
            (self.failed, "failed earlier (--again starts new jobs)"),
            (self.skipped, self.why_skipped()),
            (
                self.refused,
                "refused because other jobs make their outputs",
            ),
            (
                self.gone,
                "done but with missing outputs (--missing makes them again)",
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
