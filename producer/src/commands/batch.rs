//! `producer batch`: how far one batch is.

use std::collections::HashMap;

use clap::Args;
use common::batch::{Batch, BatchProgress};
use common::broker::JobRecord;
use common::control::Target;
use common::fit;
use common::history::History;
use common::job::Job;
use common::printable::printable;
use common::queue::Queue;
use common::worker::Heartbeat;
use serde::Serialize;

use crate::display::{output, units};
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use crate::records::find_batch;

/// Which batch.
#[derive(Debug, Args)]
pub struct Options {
    /// The batch's id, or the start of it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    batch: Batch,
    is_paused: bool,
    progress: BatchProgress,
    /// Judged by what jobs took lately on the workers that take these.
    seconds_left: Option<f64>,
}

/// Shows how far a batch is.
///
/// # Errors
/// Where the farm is out of reach, or has never heard of the batch.
pub async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let id = find_batch(&broker, &options.id).await?;
    let known = broker.batches().await?;
    let Some(batch) = known.into_iter().find(|batch| batch.id == id) else {
        return Err(Error::usage(format!(
            "no batch '{id}': `producer batches` lists them"
        )));
    };
    let mut records = broker.jobs(true).await?;
    records.retain(|record| record.job().batch == id);
    let mut progress = BatchProgress::default();
    records.iter().for_each(|record| progress.add(record));
    let history: History = broker.recent_reports().await?.iter().collect();
    let workers = broker.workers().await?;
    let rate = history.bytes_per_second(&takers(&records, &workers));
    let shown = Shown {
        is_paused: broker.controls().await?.is_paused(&Target::Batch(id)),
        seconds_left: progress.seconds_left(rate),
        batch,
        progress,
    };
    if options.json {
        output::print_json(&shown)?;
    } else {
        output::print(&text(&shown));
    }
    Ok(Exit::Done)
}

/// Workers that take jobs of the queues in which some have not ended: one of
/// each stands for the others.
fn takers<'a>(records: &[JobRecord], workers: &'a [Heartbeat]) -> Vec<&'a Heartbeat> {
    let open: HashMap<&Queue, &Job> = records
        .iter()
        .filter(|record| !record.has_ended())
        .map(|record| (record.queue(), record.job()))
        .collect();
    let takes_any = |worker: &&Heartbeat| {
        open.iter()
            .any(|(queue, job)| fit::takes(worker, job, queue).is_ok())
    };
    workers.iter().filter(takes_any).collect()
}

fn text(shown: &Shown) -> String {
    let Shown {
        batch, progress, ..
    } = shown;
    let paused = if shown.is_paused { ", paused" } else { "" };
    let mut lines = vec![
        format!("batch     {}{paused}", batch.id),
        format!("what      {}", printable(&batch.label)),
        format!("enqueued  {:.0}", batch.enqueued),
        format!("jobs      {}", counts(progress)),
    ];
    if progress.completed > 0 {
        lines.push(format!(
            "saved     {}",
            saved(progress.input_bytes, progress.output_bytes)
        ));
    }
    if progress.open() > 0 {
        let left = match shown.seconds_left {
            Some(seconds) => format!(", about {}", units::seconds(seconds)),
            None => String::new(),
        };
        lines.push(format!(
            "left      {}{left}",
            units::bytes(progress.bytes_left)
        ));
    }
    lines.join("\n")
}

/// The states that jobs are in, with how many: `2 running, 5 pending`.
fn counts(progress: &BatchProgress) -> String {
    let parts: Vec<String> = [
        (progress.completed, "completed"),
        (progress.running, "running"),
        (progress.waiting, "waiting"),
        (progress.pending, "pending"),
        (progress.paused, "paused"),
        (progress.failed, "failed"),
        (progress.cancelled, "cancelled"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, state)| format!("{count} {state}"))
    .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

fn saved(before: u64, after: u64) -> String {
    let line = format!(
        "{} -> {} ({})",
        units::bytes(before),
        units::bytes(after),
        units::ratio(before, after)
    );
    match before.checked_sub(after) {
        Some(saved) => format!("{}: {line}", units::bytes(saved)),
        None => format!("nothing: {line}"),
    }
}
