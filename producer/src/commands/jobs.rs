//! `producer jobs`.

use std::collections::HashSet;

use clap::{Args, ValueEnum};
use common::broker::{Broker, JobRecord};
use common::location::Location;
use common::queue::{Priority, Queue};
use common::run::{Report, Run, State};
use jiff::Timestamp;
use serde::Serialize;

use crate::display::output;
use crate::display::shortened::shortened;
use crate::display::summary::table;
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use common::printable::printable;

/// Jobs that wait are read in pages of this size.
const PAGE: usize = 1000;
/// Characters of a name or reason that a table shows.
const TEXT: usize = 60;

/// Which jobs to list.
#[derive(Debug, Args)]
pub struct Options {
    /// Only jobs in this state; may be repeated
    #[arg(long, value_name = "STATE")]
    pub state: Vec<StateName>,
    /// At most so many, those that changed last first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A job's state, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateName {
    /// Waits for a worker
    Pending,
    /// A worker is at it
    Running,
    /// Waits for its next attempt
    Waiting,
    /// Done
    Completed,
    /// Failed for good
    Failed,
    /// Cancelled
    Cancelled,
}

impl StateName {
    fn is(self, word: &str) -> bool {
        self.to_possible_value()
            .is_some_and(|value| value.get_name() == word)
    }
}

/// Lists jobs.
///
/// # Errors
/// Where the farm is out of reach.
pub async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let wanted =
        |word: &str| options.state.is_empty() || options.state.iter().any(|state| state.is(word));
    let mut records = all(&broker, wanted("pending")).await?;
    records.retain(|record| wanted(record.word()));
    records.sort_by_key(|record| std::cmp::Reverse(changed(record)));
    let total = records.len();
    records.truncate(options.limit);
    let rows: Vec<Row> = records.iter().map(Row::of).collect();
    if options.json {
        output::print_json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        eprintln!("no jobs");
        return Ok(Exit::Done);
    }
    let mut table = table(&["Job", "State", "Queue", "Prio", "Input", "Worker", "Note"]);
    for row in &rows {
        table.add_row(vec![
            row.id[..8].to_owned(),
            row.state.to_owned(),
            row.queue.to_string(),
            row.priority.to_string(),
            shortened(&printable(&row.input.name()), TEXT),
            row.worker.clone().unwrap_or_default(),
            row.error
                .as_deref()
                .map(|error| shortened(&printable(error), TEXT))
                .unwrap_or_default(),
        ]);
    }
    output::print(&table.to_string());
    if total > rows.len() {
        eprintln!("{} of {total}; --limit shows more", rows.len());
    }
    Ok(Exit::Done)
}

/// Every job: those that were taken, and where wanted those that nobody has taken yet.
pub(super) async fn all(broker: &Broker, with_pending: bool) -> Result<Vec<JobRecord>, Error> {
    let mut records = Vec::new();
    if with_pending {
        let mut from = 1;
        loop {
            let (page, next) = broker.queued(None, from, PAGE).await?;
            records.extend(
                page.into_iter()
                    .map(|pending| JobRecord::Pending(Box::new(pending))),
            );
            if next == from {
                break;
            }
            from = next;
        }
    }
    // Read last: a job that is taken meanwhile is seen as taken.
    let runs = broker.runs().await?;
    let taken: HashSet<_> = runs.iter().map(|run| run.job.id).collect();
    records.retain(|record| !taken.contains(&record.job().id));
    records.extend(runs.into_iter().map(|run| JobRecord::Run(Box::new(run))));
    Ok(records)
}

fn changed(record: &JobRecord) -> Timestamp {
    match record {
        JobRecord::Pending(pending) => pending.job.enqueued,
        JobRecord::Run(run) => run.changed,
    }
}

/// A job in a listing.
#[derive(Debug, Serialize)]
pub struct Row {
    id: String,
    state: &'static str,
    queue: Queue,
    priority: Priority,
    input: Location,
    output: Location,
    size: u64,
    batch: String,
    enqueued: Timestamp,
    changed: Timestamp,
    attempt: u32,
    attempts: u32,
    worker: Option<String>,
    error: Option<String>,
    report: Option<Report>,
}

impl Row {
    fn of(record: &JobRecord) -> Self {
        let job = record.job();
        let run: Option<&Run> = match record {
            JobRecord::Pending(_) => None,
            JobRecord::Run(run) => Some(run),
        };
        Self {
            id: job.id.to_string(),
            state: record.word(),
            queue: record.queue().clone(),
            priority: record.priority(),
            input: job.input.location.clone(),
            output: job.output.clone(),
            size: job.input.size,
            batch: job.batch.to_string(),
            enqueued: job.enqueued,
            changed: changed(record),
            attempt: run.map_or(0, |run| run.attempt),
            attempts: job.attempts,
            worker: run.and_then(Run::worker).map(ToString::to_string),
            error: run.and_then(|run| match &run.state {
                State::Failed { failure } | State::Waiting { failure, .. } => {
                    Some(failure.message.clone())
                }
                _ => None,
            }),
            report: run.and_then(|run| match &run.state {
                State::Completed { report } => Some(Report::clone(report)),
                _ => None,
            }),
        }
    }
}
