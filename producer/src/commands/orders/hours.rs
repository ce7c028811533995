//! `producer hours`: the working hours of a worker.

use clap::{ArgGroup, Args};
use common::farm::hours::Hours;
use common::farm::orders::Target;
use common::farm::worker_name::WorkerName;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::orders;

#[derive(Debug, Args)]
#[command(override_usage = "producer hours NAME <HOURS|--clear>")]
#[command(group(ArgGroup::new("what").required(true).args(["hours", "clear"])))]
pub(crate) struct Options {
    /// Worker name
    #[arg(value_name = "NAME")]
    pub worker: WorkerName,
    /// Hours in which the worker starts jobs, by its local time, e.g. 22:00-07:00 or 'mon-fri 19:00-07:00; sat,sun 00:00-24:00'
    #[arg(value_name = "HOURS")]
    pub hours: Option<Hours>,
    /// Go back to the hours in the worker's own settings
    #[arg(long)]
    pub clear: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The hours replace those of the worker's own settings.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let controls = broker.orders().await?;
    let hours = options.hours;
    let done = match &hours {
        Some(hours) => format!("now starts jobs only in these hours: {hours}"),
        None => "uses the hours of its own settings again".to_owned(),
    };
    let order = controls.setting_hours(&options.worker, hours, broker.now());
    let target = Target::Worker(options.worker);
    orders::give(&broker, &target, order.as_ref(), &done, options.json).await
}
