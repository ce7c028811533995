//! `producer drain`: a worker finishes its jobs and takes no more.

use clap::Args;
use common::farm::orders::Target;
use common::farm::worker_name::WorkerName;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Worker name; `producer resume NAME` ends the drain
    #[arg(value_name = "NAME")]
    pub worker: WorkerName,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The drain lasts until the worker is resumed, across restarts of the worker as well.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let target = Target::Worker(options.worker);
    orders::pause(&broker, &target, true, options.json).await
}
