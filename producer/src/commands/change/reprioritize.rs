//! `producer reprioritize`.

use clap::Args;
use common::farm::queue::Priority;
use common::job::record::JobRecord;
use common::job::run::Run;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::select::bulk;
use crate::select::bulk::JobChange;
use crate::select::selection::Selection;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// New priority: 1 (low) to 10 (high) [default: the last argument]
    #[arg(long, value_name = "1..10", visible_alias = "priority")]
    pub to: Option<Priority>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub selection: Selection,
}

pub(crate) async fn run(mut options: Options, settings: &Settings) -> Result<Exit, Error> {
    let to: Priority = match options.to {
        Some(to) => to,
        None => options.selection.take_target("--to 1..10")?,
    };
    let broker = settings.connect().await?;
    let found = options.selection.find(&broker, waits).await?;
    let result = bulk::for_each_job(found, async |record| {
        if waits(record) && record.priority() == to {
            return Ok(JobChange::Already);
        }
        if options.selection.dry_run {
            let allows = |run: Option<&Run>| {
                run.is_none_or(|run| run.move_to(&run.lane(), broker.now()).is_some())
            };
            return Ok(JobChange::foreseen(
                record,
                ("reprioritized", options.json),
                allows,
            ));
        }
        let moved = broker.move_job(&record.job().id, None, Some(to));
        Ok(moved.await?.into())
    });
    let done = match options.selection.dry_run {
        true => format!("would be reprioritized to {to}:"),
        false => format!("reprioritized to {to}:"),
    };
    result.await?.conclude(&done, options.json)
}

fn waits(record: &JobRecord) -> bool {
    record.run().is_none_or(|run| run.state.is_waiting())
}
