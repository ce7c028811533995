//! `producer resume`: ends a pause, a drain or a quarantine.

use clap::{ArgGroup, Args};
use common::farm::orders::Target;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["worker", "queue", "batch"])))]
pub(crate) struct Options {
    /// Name of a drained worker, or of one in quarantine
    #[arg(value_name = "NAME")]
    pub worker: Option<WorkerName>,
    /// Name of a paused queue
    #[arg(long, value_name = "NAME")]
    pub queue: Option<Queue>,
    /// Id of a paused batch, or its first characters
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let (queue, batch) = (options.queue.as_ref(), options.batch.as_deref());
    match orders::target(&broker, options.worker.as_ref(), queue, batch).await? {
        Some(Target::Worker(worker)) => orders::resume_worker(&broker, worker, options.json).await,
        Some(target) => orders::pause(&broker, &target, false, options.json).await,
        None => Err(Error::usage(
            "nothing to resume: name a worker, or give --queue or --batch",
        )),
    }
}
