//! `producer jobs`.

use std::cmp::Reverse;

use clap::Args;
use common::farm::queue::{Priority, Queue};
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use common::names::location::Location;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::NameTable;
use crate::display::{output, state};
use crate::select::filter::FilterOptions;
use common::names::printable::printable;
use common::say;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Show at most N jobs, the last changed first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub filter: FilterOptions,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let filter = options.filter.filter(&broker).await?;
    let when_changed = |record: JobRecord| {
        let wanted = Some(&record).filter(|record| filter.wants(record));
        wanted.map(|record| (Reverse(changed(record)), record.job().id))
    };
    let mut found = broker
        .pick_jobs(filter.wants_waiting(), when_changed)
        .await?;
    found.sort();
    let total = found.len();
    found.truncate(options.limit);
    let ids: Vec<JobId> = found.into_iter().map(|(_, id)| id).collect();
    let records = broker.jobs_of(&ids).await?;
    let shown = ids.iter().filter_map(|id| records.get(id));
    let rows: Vec<Row> = shown.map(Row::of).collect();
    if options.json {
        output::print_json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        say!("no jobs found");
        return Ok(Exit::Done);
    }
    let mut table = NameTable::new(&["Job", "State", "Queue", "Priority", "Worker", "Input"]);
    for row in &rows {
        let cells = vec![
            row.id[..8].to_owned(),
            state::word(row.state).to_owned(),
            row.queue.to_string(),
            row.priority.to_string(),
            row.worker.clone().unwrap_or_default(),
        ];
        let note = row.error.as_deref().map(printable);
        table.row(cells, printable(&row.input.name()), note);
    }
    output::print(&table.text());
    if total > rows.len() {
        say!("{} of {total} shown; --limit shows more", rows.len());
    }
    Ok(Exit::Done)
}

fn changed(record: &JobRecord) -> Timestamp {
    record
        .run()
        .map_or(record.job().enqueued, |run| run.changed)
}

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    id: String,
    state: JobState,
    queue: Queue,
    priority: Priority,
    input: Location,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<Location>,
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
        let run = record.run();
        Self {
            id: job.id.to_string(),
            state: record.state(),
            queue: record.queue().clone(),
            priority: record.priority(),
            input: job.input.location.clone(),
            further: (job.inputs().skip(1))
                .map(|input| input.location.clone())
                .collect(),
            output: job.output.clone(),
            size: job.bytes(),
            batch: job.batch.to_string(),
            enqueued: job.enqueued,
            changed: changed(record),
            attempt: run.map_or(0, |run| run.attempt),
            attempts: job.attempts,
            worker: run.and_then(Run::worker).map(ToString::to_string),
            error: run.and_then(|run| match &run.state {
                RunState::Failed { failure } | RunState::Waiting { failure, .. } => {
                    Some(failure.message.clone())
                }
                _ => None,
            }),
            report: run.and_then(|run| match &run.state {
                RunState::Completed { report } => Some(Report::clone(report)),
                _ => None,
            }),
        }
    }
}
