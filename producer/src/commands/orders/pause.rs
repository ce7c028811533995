//! `producer pause`: no more jobs of a queue or a batch are started.

use clap::{ArgGroup, Args};
use common::farm::queue::Queue;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["queue", "batch"])))]
pub(crate) struct Options {
    /// Queue name, e.g. hevc_nvenc, any_hevc, copy
    #[arg(long, value_name = "NAME")]
    pub queue: Option<Queue>,
    /// Batch id, or its first characters
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let (queue, batch) = (options.queue.as_ref(), options.batch.as_deref());
    match orders::target(&broker, None, queue, batch).await? {
        Some(target) => orders::pause(&broker, &target, true, options.json).await,
        None => Err(Error::usage("nothing to pause: give --queue or --batch")),
    }
}
