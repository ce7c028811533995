//! `producer pause`: nothing more of a queue or a batch is started.

use clap::{ArgGroup, Args};
use common::farm::queue::Queue;

use crate::commands::orders;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// What to pause.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["queue", "batch"])))]
pub(crate) struct Options {
    /// A queue, e.g. hevc_nvenc, any_hevc, copy; its jobs stay pending
    #[arg(long, value_name = "NAME")]
    pub queue: Option<Queue>,
    /// A batch, by its id or the start of it
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Pauses a queue or a batch; running jobs finish.
///
/// # Errors
/// Where the farm is out of reach.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let (queue, batch) = (options.queue.as_ref(), options.batch.as_deref());
    match orders::target(&broker, None, queue, batch).await? {
        Some(target) => orders::pause(&broker, &target, true, options.json).await,
        None => Err(Error::usage("nothing says what: give --queue or --batch")),
    }
}
