//! Takes the worker's name, which no other live worker of the farm may have.

use std::time::Duration;

use common::broker::{Broker, BrokerError, Namesake};
use common::farm::worker_name::WorkerName;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::capabilities::host_name;
use crate::report::heartbeat::Heartbeater;

/// After this time, the heartbeat of a dead worker has expired.
const RUN_OUT: Duration = Duration::from_secs(20);
/// The wait between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// The worker's name cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error("a worker named {name} is alive on the machine {host}: give this one another --name")]
    Taken { name: WorkerName, host: String },
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// Takes the name, and answers for it until `gone` is cancelled. If no worker answers, a heartbeat from this machine
/// is one of an earlier process. A heartbeat from another machine may come from a container that has moved, so it
/// gets the time to expire.
///
/// # Errors
/// If another live worker has the name, or if the broker gives no answer.
pub async fn take(
    broker: &Broker,
    name: &WorkerName,
    heartbeater: &Heartbeater,
    gone: &CancellationToken,
) -> Result<(), NameError> {
    let host = host_name();
    let give_up = Instant::now() + RUN_OUT;
    loop {
        let is_late = Instant::now() >= give_up;
        match step(broker, name, heartbeater, gone, &host).await {
            Ok(Step::Taken) => return Ok(()),
            Ok(Step::Held { by, is_sure }) if is_sure || is_late => {
                let (name, host) = (name.clone(), by);
                return Err(NameError::Taken { name, host });
            }
            Err(error) if is_late => return Err(error.into()),
            // The broker may be restarting.
            Err(error) => tracing::warn!(%error, "waiting for the broker"),
            Ok(Step::Held { .. } | Step::Again) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Step {
    Taken,
    /// A worker on the machine `by` holds the name. This is sure if it has answered.
    Held {
        by: String,
        is_sure: bool,
    },
    /// Another heartbeat was published in between.
    Again,
}

async fn step(
    broker: &Broker,
    name: &WorkerName,
    heartbeater: &Heartbeater,
    gone: &CancellationToken,
    host: &str,
) -> Result<Step, BrokerError> {
    let last_heard = broker.last_heard(name).await?;
    let answer = broker.namesake(name).await?;
    let workers = broker.workers().await?;
    let other = workers.into_iter().find(|worker| worker.name == *name);
    let other_host = other.map(|worker| worker.card.host.name);
    let may_live = match answer {
        Namesake::Alive => true,
        Namesake::Silent => other_host.is_some(),
        Namesake::NotConnected => other_host.as_ref().is_some_and(|other| other != host),
    };
    if may_live {
        return Ok(Step::Held {
            by: other_host.unwrap_or_else(|| host.to_owned()),
            is_sure: answer == Namesake::Alive,
        });
    }
    let answering = gone.child_token();
    broker.answer_for(name, answering.clone()).await?;
    // The broker must know that this worker answers before others can see its heartbeat.
    let flushed = broker.client().flush().await;
    let begun = heartbeater.begin(broker, last_heard).await;
    if flushed.is_ok() && matches!(begun, Ok(true)) {
        return Ok(Step::Taken);
    }
    answering.cancel();
    begun.map(|_| Step::Again)
}
