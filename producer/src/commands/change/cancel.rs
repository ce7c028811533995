//! `producer cancel`.

use clap::Args;
use common::job::record::JobRecord;
use common::job::run::Run;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::select::bulk;
use crate::select::bulk::JobChange;
use crate::select::selection::Selection;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub selection: Selection,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let is_open = |record: &JobRecord| !record.has_ended();
    let found = options.selection.find(&broker, is_open).await?;
    let Options { json, selection } = options;
    let result = bulk::for_each_job(found, async |record| {
        if selection.dry_run {
            let allows =
                |run: Option<&Run>| run.is_none_or(|run| run.cancel(broker.now()).is_some());
            return Ok(JobChange::foreseen(record, ("cancelled", json), allows));
        }
        Ok(broker.cancel(&record.job().id).await?.into())
    });
    result.await?.conclude(&selection.done("cancelled"), json)
}
