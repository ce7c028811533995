//! `producer retry`.

use clap::{Args, ValueEnum};
use common::job::failure::Fault;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::select::bulk;
use crate::select::bulk::JobChange;
use crate::select::selection::Selection;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only failed jobs with this fault; may be repeated
    #[arg(long, value_name = "KIND", help_heading = "Which jobs")]
    pub fault: Vec<FaultName>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FaultName {
    /// The input or the recipe is at fault
    Input,
    /// The worker is at fault
    Worker,
    /// An outage, such as of the network
    Passing,
}

impl From<FaultName> for Fault {
    fn from(name: FaultName) -> Self {
        match name {
            FaultName::Input => Self::Input,
            FaultName::Worker => Self::Worker,
            FaultName::Passing => Self::Passing,
        }
    }
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    if !options.selection.jobs.is_empty() && !options.fault.is_empty() {
        return Err(Error::usage(
            "--fault selects among many jobs: leave it out if you name jobs",
        ));
    }
    let broker = settings.connect().await?;
    let mut selection = options.selection;
    // A fault selects jobs by itself.
    selection.all |= !options.fault.is_empty();
    let suits = |record: &JobRecord| has_ended_badly(record, &options.fault);
    let found = selection.find(&broker, suits).await?;
    let result = bulk::for_each_job(found, async |record| {
        if selection.dry_run {
            let allows =
                |run: Option<&Run>| run.is_some_and(|run| run.retry(broker.now()).is_some());
            return Ok(JobChange::foreseen(
                record,
                ("retried", options.json),
                allows,
            ));
        }
        Ok(broker.retry(&record.job().id).await?.into())
    });
    result
        .await?
        .conclude(&selection.done("retried"), options.json)
}

/// Whether the job failed by one of these faults. Without faults: whether it failed or was cancelled.
fn has_ended_badly(record: &JobRecord, faults: &[FaultName]) -> bool {
    match record.run().map(|run| &run.state) {
        Some(RunState::Failed { failure }) => {
            faults.is_empty() || faults.iter().any(|fault| failure.fault == (*fault).into())
        }
        Some(RunState::Cancelled) => faults.is_empty(),
        _ => false,
    }
}
