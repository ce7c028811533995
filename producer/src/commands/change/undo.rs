//! `producer undo`.

use clap::Args;
use common::job::record::JobRecord;
use common::job::run::Run;
use common::say;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::MachineOptions;
use crate::display::output;
use crate::embedded::trash;
use crate::select::bulk;
use crate::select::bulk::BulkResult;
use crate::select::lookup;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Ids of batches or jobs, or their first characters: of `encode --replace`, or of the farm
    #[arg(value_name = "BATCH|JOB", required = true)]
    pub ids: Vec<String>,
    /// Say what would become of each job, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    if !settings.names_a_farm() {
        let machine = MachineOptions::from_environment();
        let undoing = trash::undo(
            &options.ids,
            options.dry_run,
            machine.nats_server.as_deref(),
            settings.ack_wait,
        );
        let undone = tokio::select! {
            undone = undoing => undone,
            () = shutdown.cancelled() => {
                return Err(Error::interrupted("interrupted; run the same command again for the rest"));
            }
        };
        match undone {
            // No encode of this machine knows them.
            Err(error) if error.exit() == Exit::Usage && settings.has_a_farm() => {}
            Err(error) => return Err(error),
            Ok(trash::Undoing { result, left }) => {
                let exit = conclude(&result, &options)?;
                return match left {
                    Some(why) => Err(why),
                    None => Ok(exit),
                };
            }
        }
    }
    let broker = settings.connect().await?;
    let mut found: Vec<JobRecord> = Vec::new();
    for id in &options.ids {
        let has_replaced = |record: &JobRecord| record.run().is_some_and(Run::has_replaced);
        if let Ok(batch) = lookup::find_batch(&broker, id).await {
            let of_batch = |record: &JobRecord| record.job().batch == batch;
            let wants = |record: &JobRecord| of_batch(record) && has_replaced(record);
            let jobs = broker.pick_jobs(false, |record| wants(&record).then_some(record));
            let jobs = jobs.await?;
            if !jobs.is_empty() {
                found.extend(jobs);
                continue;
            }
            match lookup::find_all(&broker, std::slice::from_ref(id)).await {
                Ok(jobs) => found.extend(jobs),
                Err(_) => say!(
                    "batch {batch}: nothing to put back, no output is in the place of its source"
                ),
            }
            continue;
        }
        found.extend(lookup::find_all(&broker, std::slice::from_ref(id)).await?);
    }
    let result = bulk::for_each_job(found, async |record| {
        Ok(broker.undo(&record.job().id, options.dry_run).await?.into())
    });
    let undoing = async { conclude(&result.await?, &options) };
    tokio::select! {
        result = undoing => result,
        () = shutdown.cancelled() => {
            Err(Error::interrupted("interrupted; run the same command again for the rest"))
        }
    }
}

fn conclude(result: &BulkResult, options: &Options) -> Result<Exit, Error> {
    if !options.dry_run {
        return result.conclude("undone", options.json);
    }
    if !options.json {
        for line in result.lines("would come back") {
            output::print(&line);
        }
    }
    result.conclude("would be undone:", options.json)
}
