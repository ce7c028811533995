//! Standing orders to the farm: what they are about, and giving them.

use common::broker::Broker;
use common::control::{Order, Target};
use common::queue::Queue;
use common::worker::WorkerName;
use serde::Serialize;

use crate::display::output;
use crate::exit::{Error, Exit};
use crate::records::find_batch;

/// The target that one of these options names; `None` where none does.
///
/// # Errors
/// Where no batch begins like that.
pub async fn target(
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
}

/// Pauses a target or lets it go on, and tells that.
///
/// # Errors
/// Where the broker gives no answer.
pub async fn pause(
    broker: &Broker,
    target: &Target,
    paused: bool,
    json: bool,
) -> Result<Exit, Error> {
    let controls = broker.controls().await?;
    let order = controls.pausing(target, paused, broker.now());
    let done = match (target, paused) {
        (Target::Worker(_), true) => "drains: it finishes what it has and takes no more",
        (_, true) => "is paused: what runs goes on, and nothing more of it is started",
        (_, false) => "goes on",
    };
    give(broker, target, order.as_ref(), done, json).await
}

/// Gives an order, or takes it back, and tells what it does.
///
/// # Errors
/// Where the broker gives no answer.
pub async fn give(
    broker: &Broker,
    target: &Target,
    order: Option<&Order>,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    if let Some(warning) = unheard_of(broker, target).await? {
        eprintln!("warning: {warning}");
    }
    broker.command(target, order).await?;
    if json {
        output::print_json(&Given {
            target: target.to_string(),
            order,
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
async fn unheard_of(broker: &Broker, target: &Target) -> Result<Option<String>, Error> {
    let workers = broker.workers().await?;
    Ok(match target {
        Target::Worker(name) => (!workers.iter().any(|worker| worker.name == *name))
            .then(|| format!("no worker {name} is alive: the order waits for it to start")),
        Target::Queue(queue) => (!workers.iter().any(|worker| worker.serves(queue)))
            .then(|| format!("no live worker serves the queue {queue}")),
        Target::Batch(id) => (!broker.batches().await?.iter().any(|batch| batch.id == *id))
            .then(|| format!("nothing is known of a batch {id}")),
    })
}
