//! EntryState orders to the farm: what they are about, and giving them.

pub(super) mod drain;
pub(super) mod hours;
pub(super) mod pause;
pub(super) mod resume;

use common::broker::{Broker, LiftError};
use common::farm::orders::{Order, Target};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use serde::Serialize;

use crate::display::output;
use crate::exit::{Error, Exit};
use crate::select::lookup::find_batch;

/// The target that one of these options names; `None` where none does.
///
/// # Errors
/// Where no batch begins like that.
pub(super) async fn target(
    broker: &Broker,
    worker: Option<&WorkerName>,
    queue: Option<&Queue>,
    batch: Option<&str>,
) -> Result<Option<Target>, Error> {
    Ok(match (worker, queue, batch) {
        (Some(worker), _, _) => Some(Target::Worker(worker.clone())),
        (_, Some(queue), _) => Some(Target::Queue(queue.clone())),
        (_, _, Some(batch)) => Some(Target::Batch(find_batch(broker, batch).await?)),
        (None, None, None) => None,
    })
}

/// An order that was given, for machines.
#[derive(Serialize)]
struct Given<'a> {
    target: String,
    order: Option<&'a Order>,
    /// Whether it ended a worker's quarantine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quarantine_lifted: bool,
}

/// Pauses or resumes a target, and tells that.
///
/// # Errors
/// Where the broker gives no answer.
pub(super) async fn pause(
    broker: &Broker,
    target: &Target,
    paused: bool,
    json: bool,
) -> Result<Exit, Error> {
    let controls = broker.controls().await?;
    let order = controls.pausing(target, paused, broker.now());
    let done = match (target, paused) {
        (Target::Worker(_), true) => "drains: it finishes what it has and takes no more",
        (_, true) => "is paused: running jobs finish, and no further one starts",
        (_, false) => "resumes",
    };
    give(broker, target, order.as_ref(), done, json).await
}

/// Has a worker take jobs again, whatever kept it from that but its hours, and
/// tells that.
///
/// # Errors
/// Where the broker gives no answer, or the worker is alive and gives none.
pub(super) async fn resume_worker(
    broker: &Broker,
    worker: WorkerName,
    json: bool,
) -> Result<Exit, Error> {
    let lifted = match broker.lift_quarantine(&worker).await {
        Ok(was_quarantined) => was_quarantined,
        // An order to drain can be taken back all the same.
        Err(LiftError::Nobody(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let target = Target::Worker(worker);
    let controls = broker.controls().await?;
    let order = controls.pausing(&target, false, broker.now());
    let done = match (controls.is_paused(&target), lifted) {
        (true, false) => "resumes",
        (true, true) => "resumes, and its quarantine is lifted",
        (false, true) => "takes jobs again: its quarantine is lifted",
        (false, false) => "was neither drained nor in quarantine",
    };
    command(broker, &target, order.as_ref()).await?;
    tell(&target, order.as_ref(), lifted, done, json)
}

/// Gives an order, or takes it back, and tells what it does.
///
/// # Errors
/// Where the broker gives no answer.
pub(super) async fn give(
    broker: &Broker,
    target: &Target,
    order: Option<&Order>,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    command(broker, target, order).await?;
    tell(target, order, false, done, json)
}

async fn command(broker: &Broker, target: &Target, order: Option<&Order>) -> Result<(), Error> {
    if let Some(warning) = unheard_of(broker, target, order).await? {
        eprintln!("warning: {warning}");
    }
    Ok(broker.command(target, order).await?)
}

fn tell(
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
        Target::Queue(queue) => format!("the queue {queue}"),
        Target::Worker(worker) => format!("worker {worker}"),
        Target::Batch(batch) => format!("batch {batch}"),
    }
}

/// What to say where nobody is there yet to follow the order: it stays in force.
async fn unheard_of(
    broker: &Broker,
    target: &Target,
    order: Option<&Order>,
) -> Result<Option<String>, Error> {
    let workers = broker.workers().await?;
    let stays = order.map_or("", |_| ": the order waits for it to start");
    Ok(match target {
        Target::Worker(name) => (!workers.iter().any(|worker| worker.name == *name))
            .then(|| format!("no worker {name} is alive{stays}")),
        Target::Queue(queue) => (!workers.iter().any(|worker| worker.serves(queue)))
            .then(|| format!("no live worker serves the queue {queue}")),
        Target::Batch(id) => (!broker.batches().await?.iter().any(|batch| batch.id == *id))
            .then(|| format!("nothing is known of a batch {id}")),
    })
}
