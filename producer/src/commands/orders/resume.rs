//! `producer resume`: takes back `pause` and `drain`, and lifts a quarantine.

use clap::{ArgGroup, Args};
use common::farm::orders::Target;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;

use crate::commands::orders;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// What is resumed.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["worker", "queue", "batch"])))]
pub(crate) struct Options {
    /// A worker that was drained, or is in quarantine
    #[arg(value_name = "NAME")]
    pub worker: Option<WorkerName>,
    /// A queue that was paused
    #[arg(long, value_name = "NAME")]
    pub queue: Option<Queue>,
    /// A batch that was paused, by its id or the start of it
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Resumes a worker, a queue or a batch.
///
/// # Errors
/// Where the farm is out of reach.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let (queue, batch) = (options.queue.as_ref(), options.batch.as_deref());
    match orders::target(&broker, options.worker.as_ref(), queue, batch).await? {
        Some(Target::Worker(worker)) => orders::resume_worker(&broker, worker, options.json).await,
        Some(target) => orders::pause(&broker, &target, false, options.json).await,
        None => Err(Error::usage(
            "nothing says what: name a worker, or give --queue or --batch",
        )),
    }
}
