//! `producer drain`: a worker finishes what it has and takes no more.

use clap::Args;
use common::farm::orders::Target;
use common::farm::worker_name::WorkerName;

use crate::commands::orders;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// Which worker to drain.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The worker; `producer resume NAME` ends that
    #[arg(value_name = "NAME")]
    pub worker: WorkerName,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Drains a worker, until it is resumed; across restarts of it, too.
///
/// # Errors
/// Where the farm is out of reach.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let target = Target::Worker(options.worker);
    orders::pause(&broker, &target, true, options.json).await
}
