//! `producer job`.

use clap::Args;
use common::broker::{Broker, JobRecord};
use common::event::{Event, What};
use common::id::JobId;
use common::run::{Run, State};
use serde::Serialize;

use super::jobs;
use crate::display::{output, summary, units};
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use common::printable::printable;

/// The shortest prefix that stands for a job.
const SHORTEST_PREFIX: usize = 4;

/// Which job.
#[derive(Debug, Args)]
pub struct Options {
    /// The job's id, or the start of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    state: &'static str,
    #[serde(flatten)]
    record: &'a JobRecord,
    events: &'a [Event],
}

/// Shows all that is known of a job.
///
/// # Errors
/// Where the farm is out of reach, or has never heard of the job.
pub async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = find(&broker, &options.id).await?;
    let events = broker.events(&record.job().id).await?;
    if options.json {
        output::print_json(&Shown {
            state: record.word(),
            record: &record,
            events: &events,
        })?;
    } else {
        output::print(&text(&record, &events));
    }
    Ok(Exit::Done)
}

/// The job that a person means by an id or the start of one.
async fn find(broker: &Broker, id: &str) -> Result<JobRecord, Error> {
    let unknown = || Error::usage(format!("no job '{id}': `producer jobs` lists them"));
    if let Ok(id) = id.parse::<JobId>() {
        return broker.job(&id).await?.ok_or_else(unknown);
    }
    let is_prefix =
        id.len() >= SHORTEST_PREFIX && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if !is_prefix {
        return Err(Error::usage(format!(
            "'{id}' is no id: give a job's id, or at least the first {SHORTEST_PREFIX} characters of it"
        )));
    }
    let prefix = id.to_ascii_lowercase();
    let mut found = jobs::all(broker, true).await?;
    found.retain(|record| record.job().id.to_string().starts_with(&prefix));
    match found.len() {
        0 => Err(unknown()),
        1 => Ok(found.remove(0)),
        many => Err(Error::usage(format!(
            "{many} jobs begin with '{id}': give more of the id"
        ))),
    }
}

fn text(record: &JobRecord, events: &[Event]) -> String {
    let job = record.job();
    let mut lines = vec![
        format!("job       {}", job.id),
        format!("state     {}", record.word()),
        format!(
            "queue     {} at priority {}",
            record.queue(),
            record.priority()
        ),
        format!(
            "input     {} ({})",
            printable(&job.input.location.to_string()),
            units::bytes(job.input.size)
        ),
        format!("output    {}", printable(&job.output.to_string())),
        format!("enqueued  {}", job.enqueued),
    ];
    if let JobRecord::Run(run) = record {
        lines.extend(of_run(run));
    }
    for event in events {
        lines.push(format!(
            "          {} attempt {}: {}",
            event.at,
            event.attempt,
            what(&event.what)
        ));
    }
    lines.join("\n")
}

fn of_run(run: &Run) -> Vec<String> {
    let mut lines = vec![format!("attempt   {} of {}", run.spent(), run.job.attempts)];
    match &run.state {
        State::Running { worker, since, .. } => {
            lines.push(format!("worker    {worker}, since {since:.0}"));
        }
        State::Waiting { until, .. } => lines.push(format!("until     {until}")),
        State::Completed { .. } => lines.push(format!("result    {}", summary::ending(run))),
        State::Failed { failure } => {
            lines.push(format!(
                "error     {} ({})",
                printable(&failure.message),
                failure.fault
            ));
            lines.extend(
                failure
                    .log
                    .iter()
                    .map(|line| format!("          {}", printable(line))),
            );
        }
        State::Queued { .. } | State::Cancelled => {}
    }
    lines
}

fn what(what: &What) -> String {
    match what {
        What::Queued => "enqueued".to_owned(),
        What::Progress(progress) => format!(
            "{} frames encoded, at {:.0} fps",
            progress.frame, progress.fps
        ),
        What::Moved(queue) => format!("moved to the queue {queue}"),
        What::Requeued => "put in its queue by a person".to_owned(),
        What::Claimed(worker) => format!("taken by {worker}"),
        What::Returned(worker) => format!("given back by {worker}"),
        What::Retried(failure) => {
            format!("failed, to be tried again: {}", printable(&failure.message))
        }
        What::Completed(_) => "completed".to_owned(),
        What::Failed(failure) => format!("failed for good: {}", printable(&failure.message)),
        What::Cancelled => "cancelled".to_owned(),
    }
}
