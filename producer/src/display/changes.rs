//! The changes of outputs: kept, converted and lost.

use common::job::changes::{Change, Fate, tally};
use common::job::run::{Run, RunState};
use common::names::printable::printable;

/// Lines for a whole submission.
const SHOWN: usize = 10;

/// A line for each change: lost ones first, kept ones last.
pub(crate) fn list(changes: &[Change]) -> Vec<String> {
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by_key(|change| match (change.fate, change.is_wanted) {
        (Fate::Lost, false) => 0,
        (Fate::Converted, false) => 1,
        (_, true) => 2,
        (Fate::Kept, false) => 3,
    });
    changes
        .iter()
        .map(|change| printable(&change.to_string()))
        .collect()
}

/// The losses of completed runs, a line for each kind and reason: `12 files lose captions (libx265 writes none)`.
pub(crate) fn losses<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<String> {
    let lists = runs.filter_map(|run| match &run.state {
        RunState::Completed { report } => Some(report.changes.as_slice()),
        _ => None,
    });
    lines(lists)
}

/// The losses in lists of changes, one list for each file.
pub(crate) fn lines<'a>(lists: impl Iterator<Item = &'a [Change]>) -> Vec<String> {
    let tallies = tally(lists);
    let mut lines: Vec<String> = tallies
        .iter()
        .take(SHOWN)
        .map(|tally| printable(&tally.to_string()))
        .collect();
    if tallies.len() > SHOWN {
        lines.push(format!(
            "and {} more; `--json` lists all",
            tallies.len() - SHOWN
        ));
    }
    lines
}
