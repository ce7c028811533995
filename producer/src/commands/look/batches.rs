//! `producer batches`.

use std::collections::HashMap;

use clap::Args;
use common::job::batch::{Batch, BatchProgress};
use common::job::id::BatchId;
use common::job::record::JobRecord;
use common::names::printable::printable;
use common::say;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::NameTable;
use crate::display::{output, times};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Show at most N batches, the newest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    batch: Batch,
    progress: BatchProgress,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let batches = broker.batches().await?;
    let mut progress: HashMap<BatchId, BatchProgress> = HashMap::new();
    let of_each_job = |record: JobRecord| {
        let mut progress = BatchProgress::default();
        progress.add(&record);
        Some((record.job().batch, progress))
    };
    for (batch, job) in broker.pick_jobs(true, of_each_job).await? {
        *progress.entry(batch).or_default() += job;
    }
    let now = broker.now();
    let mut rows: Vec<Row> = batches
        .into_iter()
        .rev()
        .filter_map(|batch| {
            let progress = progress.get(&batch.id).copied().unwrap_or_default();
            let batch = batch.counted(progress.jobs(), now)?;
            Some(Row { batch, progress })
        })
        .collect();
    let total = rows.len();
    rows.truncate(options.limit);
    if options.json {
        output::print_json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        say!("no batches found");
        return Ok(Exit::Done);
    }
    let mut table = NameTable::new(&[
        "Batch",
        "Enqueued",
        "Jobs",
        "Open",
        "Completed",
        "Kept",
        "Failed",
        "Cancelled",
        "Label",
    ]);
    for Row { batch, progress } in &rows {
        let cells = vec![
            batch.id.to_string(),
            times::local(batch.enqueued),
            batch.jobs.to_string(),
            progress.open().to_string(),
            progress.completed.to_string(),
            progress.kept.to_string(),
            progress.failed.to_string(),
            progress.cancelled.to_string(),
        ];
        table.row(cells, printable(&batch.label), None);
    }
    output::print(&table.text());
    if total > rows.len() {
        say!("{} of {total} shown; --limit shows more", rows.len());
    }
    Ok(Exit::Done)
}
