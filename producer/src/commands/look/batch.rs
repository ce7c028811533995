//! `producer batch`: the progress of one batch.

use std::collections::HashMap;

use clap::Args;
use common::broker::{Broker, LadderView};
use common::farm::orders::Target;
use common::job::batch::{Batch, BatchProgress};
use common::job::id::JobId;
use common::job::ladder::Ladder;
use common::job::record::JobRecord;
use common::names::printable::printable;
use serde::Serialize;

use super::time_left::{Completed, ProgressListener, outlook, slots};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{changes, output, times, units};
use crate::select::lookup::find_batch;

/// Ladders without master files that are named.
const LISTED: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Batch id, or its first characters
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
    /// An estimate from the progress of running jobs and the durations of recent ones.
    seconds_left: Option<f64>,
    losses: Vec<String>,
    /// The ladders that jobs of the batch make renditions of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ladders: Vec<LadderView>,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let id = find_batch(&broker, &options.id).await?;
    let known = broker.batches().await?;
    let Some(batch) = known.into_iter().find(|batch| batch.id == id) else {
        return Err(Error::usage(format!(
            "batch '{id}' not found: `producer batches` lists all"
        )));
    };
    // Jobs publish their progress twice a second. The listener collects it while the jobs are read.
    let mut listener = ProgressListener::listen(&broker).await?;
    let mut done: HashMap<JobId, Completed> = HashMap::new();
    let pick = |record: JobRecord| {
        done.extend(Completed::of(&record).map(|completed| (record.job().id, completed)));
        (record.job().batch == id).then_some(record)
    };
    let own = broker.pick_jobs(true, pick).await?;
    let mut progress = BatchProgress::default();
    own.iter().for_each(|record| progress.add(record));
    let losses = changes::losses(own.iter().filter_map(JobRecord::run));
    let ladders = ladders(&broker, &own).await?;
    let workers = broker.workers().await?;
    listener.of(&own).await;
    let outlook = outlook(&own, done.into_values().collect(), &listener, broker.now());
    let shown = Shown {
        is_paused: broker.orders().await?.is_paused(&Target::Batch(id)),
        seconds_left: outlook.seconds_left(slots(&own, &workers)),
        batch,
        progress,
        losses,
        ladders,
    };
    if options.json {
        output::print_json(&shown)?;
    } else {
        output::print(&text(&shown));
    }
    Ok(Exit::Done)
}

fn text(shown: &Shown) -> String {
    let Shown {
        batch, progress, ..
    } = shown;
    let paused = if shown.is_paused { ", paused" } else { "" };
    let mut lines = vec![
        format!("batch     {}{paused}", batch.id),
        format!("label     {}", printable(&batch.label)),
        format!("enqueued  {}", times::local(batch.enqueued)),
        format!("jobs      {}", counts(progress)),
    ];
    if let Some(folder) = &batch.folder {
        lines.push(format!("results   {folder}"));
    }
    if progress.completed > 0 {
        lines.push(format!(
            "saved     {}",
            saved(progress.input_bytes, progress.output_bytes)
        ));
    }
    let losses = shown.losses.iter();
    lines.extend(losses.map(|line| format!("lost      {line}")));
    lines.extend(of_ladders(&shown.ladders));
    if progress.open() > 0 {
        let left = match shown.seconds_left {
            Some(seconds) => format!(", about {}", units::seconds(seconds)),
            None => String::new(),
        };
        lines.push(format!(
            "remaining {}{left}",
            units::bytes(progress.bytes_left)
        ));
    }
    lines.join("\n")
}

/// The ladders of these jobs, by name.
async fn ladders(broker: &Broker, jobs: &[JobRecord]) -> Result<Vec<LadderView>, Error> {
    let ladders = jobs
        .iter()
        .filter_map(|record| record.job().ladder.as_ref());
    let known = broker.ladders(Ladder::each(ladders));
    Ok(known.await?.iter().map(LadderView::from).collect())
}

/// How many ladders have their master files, and the others by name.
fn of_ladders(ladders: &[LadderView]) -> Vec<String> {
    if ladders.is_empty() {
        return Vec::new();
    }
    let others: Vec<&LadderView> = ladders.iter().filter(|ladder| !ladder.is_there).collect();
    let (there, all) = (ladders.len() - others.len(), ladders.len());
    let mut lines = vec![format!(
        "ladders   {there} of {all} have their master files"
    )];
    lines.extend(others.iter().take(LISTED).map(|ladder| {
        let name = printable(&ladder.master.name());
        format!("ladder    {name}: {}", ladder.progress)
    }));
    if others.len() > LISTED {
        lines.push(format!("          and {} more", others.len() - LISTED));
    }
    lines
}

/// `2 running, 5 pending`.
fn counts(progress: &BatchProgress) -> String {
    let parts: Vec<String> = [
        (progress.completed, "completed"),
        (progress.running, "running"),
        (progress.waiting, "retrying"),
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
