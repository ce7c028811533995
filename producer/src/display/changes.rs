//! What became of what inputs held.

use common::job::changes::{Change, Fate, tally};
use common::job::run::{Run, RunState};
use common::names::printable::printable;

/// Lines that are told of a whole order.
const TOLD: usize = 10;

/// Each change in a line: what is lost first, what is kept last.
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

/// What completed runs have lost, in a line for each kind and reason: `12 files lose captions (libx265 writes none)`.
pub(crate) fn losses<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<String> {
    let lists = runs.filter_map(|run| match &run.state {
        RunState::Completed { report } => Some(report.changes.as_slice()),
        _ => None,
    });
    lines(lists)
}

/// What is lost in several outputs, in a line for each kind and reason.
pub(crate) fn lines<'a>(lists: impl Iterator<Item = &'a [Change]>) -> Vec<String> {
    let tallies = tally(lists);
    let mut lines: Vec<String> = tallies
        .iter()
        .take(TOLD)
        .map(|tally| printable(&tally.to_string()))
        .collect();
    if tallies.len() > TOLD {
        lines.push(format!(
            "and {} more; `--json` lists all",
            tallies.len() - TOLD
        ));
    }
    lines
}
