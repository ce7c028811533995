//! `producer resume`: ends a pause, a drain or a quarantine.

use clap::{ArgGroup, Args};
use common::farm::worker_name::WorkerName;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;
use crate::commands::orders::QueueOrBatch;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["worker", "queue", "batch"])))]
pub(crate) struct Options {
    /// Name of a drained worker, or of one in quarantine
    #[arg(value_name = "NAME")]
    pub worker: Option<WorkerName>,
    #[command(flatten)]
    pub what: QueueOrBatch,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    if let Some(worker) = options.worker {
        return orders::resume_worker(&broker, worker, options.json).await;
    }
    match options.what.target(&broker).await? {
        Some(target) => orders::pause(&broker, &target, false, options.json).await,
        None => Err(Error::usage(
            "nothing to resume: name a worker, or give --queue or --batch",
        )),
    }
}
