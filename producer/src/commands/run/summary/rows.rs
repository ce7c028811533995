//! A row for each job.

use std::path::PathBuf;

use common::job::changes::Change;
use common::job::run::{Run, RunState};
use common::names::printable::printable;
use common::submit::result::SubmitResult;
use serde::Serialize;

use crate::display::table::NameTable;
use crate::display::{changes, state, units};
use crate::submit::entry::Entry;

/// The table of all entries.
pub(super) fn of(entries: &[Entry]) -> String {
    let lines: Vec<Row> = entries.iter().map(Row::of).collect();
    let mut workers: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.worker.as_deref())
        .collect();
    workers.sort_unstable();
    workers.dedup();
    // A worker that is the same in every row is left out.
    let are_several = workers.len() > 1;
    let mut header = vec!["State", "Before", "After", "Ratio", "Time", "fps"];
    header.extend(are_several.then_some("Worker"));
    header.push("File");
    let mut table = NameTable::new(&header);
    for (entry, line) in entries.iter().zip(&lines) {
        let or_nothing = |text: Option<String>| text.unwrap_or_default();
        let mut cells = vec![
            for_people(line.state).to_owned(),
            units::bytes(line.input_size),
            or_nothing(line.output_size.map(units::bytes)),
            or_nothing(
                line.output_size
                    .map(|size| units::ratio(line.input_size, size)),
            ),
            or_nothing(line.seconds.map(units::seconds)),
            or_nothing(line.fps.map(|fps| units::fps(fps).replace(" fps", ""))),
        ];
        if are_several {
            cells.push(or_nothing(line.worker.clone()));
        }
        let note = line.error.as_deref().or(line.kept.as_deref());
        let note = note.map(printable);
        table.row(cells, printable(&entry.name), note);
    }
    table.text()
}

/// The state in words for people. Files without a job are `skipped` or `refused`.
fn for_people(state: &str) -> &str {
    state.parse().map_or(state, |known| state::word(known))
}

/// `2 completed, 1 failed, 1.60 MB -> 196.87 kB (12%)`.
pub(super) fn totals(entries: &[Entry]) -> String {
    let lines: Vec<Row> = entries.iter().map(Row::of).collect();
    let (mut before, mut after) = (0, 0);
    for line in &lines {
        if let Some(size) = line.output_size {
            before += line.input_size;
            after += size;
        }
    }
    let mut states: Vec<(&str, usize)> = Vec::new();
    for line in &lines {
        match states.iter_mut().find(|(state, _)| *state == line.state) {
            Some((_, count)) => *count += 1,
            None => states.push((line.state, 1)),
        }
    }
    let mut text: Vec<String> = states
        .into_iter()
        .map(|(state, count)| format!("{count} {}", for_people(state)))
        .collect();
    if before > 0 {
        text.push(format!(
            "{} -> {} ({})",
            units::bytes(before),
            units::bytes(after),
            units::ratio(before, after)
        ));
    }
    text.join(", ")
}

/// The losses of the outputs, one line for each kind and reason.
pub(super) fn losses(entries: &[Entry]) -> Vec<String> {
    let runs = entries.iter().filter_map(|entry| match &entry.state {
        SubmitResult::Run(run) => Some(&**run),
        _ => None,
    });
    changes::losses(runs)
}

pub(super) fn json(entries: &[Entry]) -> Vec<Row> {
    entries.iter().map(Row::of).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    job: String,
    input: String,
    output: String,
    state: &'static str,
    input_size: u64,
    output_size: Option<u64>,
    frames: Option<u64>,
    seconds: Option<f64>,
    fps: Option<f64>,
    encoder: Option<String>,
    worker: Option<String>,
    error: Option<String>,
    /// The file that the result was downloaded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    changes: Vec<Change>,
    /// Why the original was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

impl Row {
    fn of(entry: &Entry) -> Self {
        let mut line = Self {
            job: entry.job.id.to_string(),
            input: entry.job.input.location.clone().into(),
            output: entry.job.output.clone().into(),
            state: "pending",
            input_size: entry.job.bytes(),
            output_size: None,
            frames: None,
            seconds: None,
            fps: None,
            encoder: None,
            worker: None,
            error: entry.refusal(),
            path: None,
            changes: Vec::new(),
            kept: None,
        };
        match &entry.state {
            SubmitResult::Added | SubmitResult::Pending => {}
            SubmitResult::Occupied(_) => line.state = "skipped",
            SubmitResult::OutputTaken(_) => line.state = "refused",
            SubmitResult::Run(run) => line.take(run),
        }
        if let Some(download) = &entry.download {
            line.path = download.path().cloned();
            line.error = line.error.or(download.problem());
        }
        line
    }

    fn take(&mut self, run: &Run) {
        self.state = run.state.as_str();
        self.worker = run.worker().map(ToString::to_string);
        match &run.state {
            RunState::Completed { report } => {
                self.output_size = Some(report.output_size);
                self.frames = Some(report.frames);
                self.seconds = Some(report.total_seconds);
                self.fps = Some(report.fps());
                self.encoder = report.encoder.as_ref().map(ToString::to_string);
                self.changes.clone_from(&report.changes);
            }
            RunState::Failed { failure } | RunState::Waiting { failure, .. } => {
                self.error = Some(failure.message.clone());
            }
            RunState::Kept { report } => {
                self.seconds = Some(report.seconds);
                self.kept = Some(report.sentence());
            }
            RunState::Running { .. }
            | RunState::Split { .. }
            | RunState::Queued { .. }
            | RunState::Cancelled => {}
        }
    }
}
