//! Orders: pauses, drains and working hours that stay in force until a person takes them back.

pub(super) mod drain;
pub(super) mod hours;
pub(super) mod pause;
pub(super) mod resume;

use clap::Args;
use common::broker::{Broker, LiftError};
use common::farm::orders::{Order, Target};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::say;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::display::output;
use crate::select::lookup::find_batch;

/// The queue or the batch that an order is for.
#[derive(Debug, Args)]
pub(crate) struct QueueOrBatch {
    /// Queue name, e.g. hevc_nvenc, any_hevc, copy
    #[arg(long, value_name = "NAME")]
    queue: Option<Queue>,
    /// Batch id, or its first characters
    #[arg(long, value_name = "ID")]
    batch: Option<String>,
}

impl QueueOrBatch {
    async fn target(self, broker: &Broker) -> Result<Option<Target>, Error> {
        Ok(match (self.queue, self.batch) {
            (Some(queue), _) => Some(Target::Queue(queue)),
            (None, Some(batch)) => Some(Target::Batch(find_batch(broker, &batch).await?)),
            (None, None) => None,
        })
    }
}

#[derive(Serialize)]
struct Given<'a> {
    target: String,
    order: Option<&'a Order>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quarantine_lifted: bool,
}

/// Pauses or resumes a target.
pub(super) async fn pause(
    broker: &Broker,
    target: &Target,
    paused: bool,
    json: bool,
) -> Result<Exit, Error> {
    let controls = broker.orders().await?;
    let order = controls.pausing(target, paused, broker.now());
    let done = match (target, paused) {
        (Target::Worker(_), true) => "is told to drain: it finishes its jobs and takes no more",
        (_, true) => "is paused: running jobs finish, no more are started",
        (_, false) => "is resumed",
    };
    give(broker, target, order.as_ref(), done, json).await
}

/// Ends the drain and the quarantine of a worker.
///
/// # Errors
/// If the broker does not answer, or the worker is alive and does not answer.
pub(super) async fn resume_worker(
    broker: &Broker,
    worker: WorkerName,
    json: bool,
) -> Result<Exit, Error> {
    let lifted = match broker.lift_quarantine(&worker).await {
        Ok(was_quarantined) => was_quarantined,
        // The drain of a worker that is not running can be ended as well.
        Err(LiftError::NotConnected(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let target = Target::Worker(worker);
    let controls = broker.orders().await?;
    let order = controls.pausing(&target, false, broker.now());
    let done = match (controls.is_paused(&target), lifted) {
        (true, false) => "is resumed",
        (true, true) => "is resumed, and its quarantine has ended",
        (false, true) => "takes jobs again: its quarantine has ended",
        (false, false) => "was neither drained nor in quarantine",
    };
    command(broker, &target, order.as_ref()).await?;
    print_order(&target, order.as_ref(), lifted, done, json)
}

/// Gives an order, or takes it back.
pub(super) async fn give(
    broker: &Broker,
    target: &Target,
    order: Option<&Order>,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    command(broker, target, order).await?;
    print_order(target, order, false, done, json)
}

async fn command(broker: &Broker, target: &Target, order: Option<&Order>) -> Result<(), Error> {
    if let Some(warning) = missing_target(broker, target, order).await? {
        say!("warning: {warning}");
    }
    Ok(broker.give_order(target, order).await?)
}

fn print_order(
    target: &Target,
    order: Option<&Order>,
    quarantine_lifted: bool,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    if json {
        output::print_json(&Given {
            target: target.to_string(),
            order,
            quarantine_lifted,
        })?;
    } else {
        output::print(&format!("{} {done}", named(target)));
    }
    Ok(Exit::Done)
}

fn named(target: &Target) -> String {
    match target {
        Target::Queue(queue) => format!("queue {queue}"),
        Target::Worker(worker) => format!("worker {worker}"),
        Target::Batch(batch) => format!("batch {batch}"),
    }
}

/// A warning if the target of an order does not exist yet. The order stays in force.
async fn missing_target(
    broker: &Broker,
    target: &Target,
    order: Option<&Order>,
) -> Result<Option<String>, Error> {
    let workers = broker.workers().await?;
    let stays = order.map_or("", |_| ": the order applies once it starts");
    Ok(match target {
        Target::Worker(name) => (!workers.iter().any(|worker| worker.name == *name))
            .then(|| format!("worker {name} is not alive{stays}")),
        Target::Queue(queue) => (!workers.iter().any(|worker| worker.serves(queue)))
            .then(|| format!("no live worker serves the queue {queue}")),
        Target::Batch(id) => (!broker.batches().await?.iter().any(|batch| batch.id == *id))
            .then(|| format!("batch {id} not found")),
    })
}
