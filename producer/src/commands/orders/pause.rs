//! `producer pause`: no more jobs of a queue or a batch are started.

use clap::{ArgGroup, Args};

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;
use crate::commands::orders::QueueOrBatch;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["queue", "batch"])))]
pub(crate) struct Options {
    #[command(flatten)]
    pub what: QueueOrBatch,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    match options.what.target(&broker).await? {
        Some(target) => orders::pause(&broker, &target, true, options.json).await,
        None => Err(Error::usage("nothing to pause: give --queue or --batch")),
    }
}
