//! `producer reassign`: gives jobs to one worker by name, or back to all.

use clap::Args;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::matching::pin;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::select::bulk;
use crate::select::bulk::JobChange;
use crate::select::selection::Selection;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Worker to run the jobs; running jobs stop on their worker and start anew on this one [default: the last argument]
    #[arg(long, value_name = "NAME", conflicts_with = "auto")]
    pub to: Option<WorkerName>,
    /// Let any worker run the jobs again
    #[arg(long)]
    pub auto: bool,
    /// Assign the jobs even if the worker is not alive or has not proved their encoder
    #[arg(long, conflicts_with = "auto")]
    pub force: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub selection: Selection,
}

pub(crate) async fn run(mut options: Options, settings: &Settings) -> Result<Exit, Error> {
    if options.to.is_none() && !options.auto {
        options.to = Some(options.selection.take_target("--to NAME or --auto")?);
    }
    let broker = settings.connect().await?;
    let is_open = |record: &JobRecord| !record.has_ended();
    let found = options.selection.find(&broker, is_open).await?;
    let workers = broker.workers().await?;
    let result = bulk::for_each_job(found, async |record| {
        let job = record.job();
        let queue = match &options.to {
            Some(worker) => Queue::On(worker.clone()),
            None => job.recipe.queue(),
        };
        if is_open(record) && is_there(record, &queue) {
            return Ok(JobChange::Already);
        }
        if let Some(worker) = options.to.as_ref().filter(|_| !options.force)
            && let Err(why) = pin::check(&job.recipe, worker, &workers, &job.needed())
        {
            return Ok(JobChange::Refused(format!(
                "{why}; --force assigns the job anyway"
            )));
        }
        if options.selection.dry_run {
            let allows = |run: Option<&Run>| {
                run.is_none_or(|run| run.move_to(&run.lane(), broker.now()).is_some())
            };
            return Ok(JobChange::foreseen(
                record,
                ("reassigned", options.json),
                allows,
            ));
        }
        let moved = broker.move_job(&job.id, Some(&queue), None);
        Ok(moved.await?.into())
    });
    result
        .await?
        .conclude(&options.selection.done("reassigned"), options.json)
}

/// Whether the job waits in this queue, or runs on its worker.
fn is_there(record: &JobRecord, queue: &Queue) -> bool {
    let runs_on = match record.run().map(|run| &run.state) {
        Some(RunState::Running { worker, .. }) => Some(Queue::On(worker.clone())),
        _ => None,
    };
    record.queue() == queue || runs_on.as_ref() == Some(queue)
}
