//! Filling slots: listens for bells, claims the most urgent job that this
//! worker may run, and hands it to an executor.
//!
//! A worker with a free slot joins the queue group of each of its queues, so
//! that one bell wakes one idle worker; a full worker leaves them, so that no
//! bell is wasted on it. It listens before it looks: a job published in
//! between rings. What no bell announces (a lease that ran out, a bell lost
//! with its listener) the regular look finds.
//!
//! A job that has cost a worker before gets this one to itself, as far as it
//! can be had: if it takes it down again, it takes no other job with it.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, Lanes, Look};
use common::failure::Fault;
use common::queue::Queue;
use common::run::Run;
use common::subject::{self, Place};
use futures::StreamExt;
use futures::stream::SelectAll;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::executor::Executor;
use crate::stop::Stop;

/// Longest wait of an idle worker between two looks, in milliseconds. A job
/// whose lease ran out starts elsewhere within 1 s.
const LOOK_MS: std::ops::Range<u64> = 500..900;
/// Wait between two searches for lanes that others have made.
const DISCOVER: Duration = Duration::from_secs(45);
/// How long such a search may hold up the lanes that are known: a cluster
/// without a leader leaves it unanswered for long. A search that follows a
/// failure takes its time as often as there were failures in a row: the broker
/// may just be far.
const SEARCH: Duration = Duration::from_secs(2);
/// How long a stopping worker tries to give back what it could not finish: a
/// broker that is gone must not hold it up.
const GIVE_BACK: Duration = Duration::from_secs(15);
/// Wait after the broker gave no answer.
const TROUBLE: Duration = Duration::from_secs(1);

type Bells = SelectAll<async_nats::Subscriber>;

/// Works until told to stop, then drains: what can be finished within
/// `drain_timeout` is, the rest is given back.
///
/// # Errors
/// Where the broker refuses at the start. Later trouble is waited out.
pub async fn run(
    executor: Arc<Executor>,
    queues: Vec<Queue>,
    slots: u32,
    drain_timeout: Duration,
    shutdown: CancellationToken,
) -> Result<(), BrokerError> {
    let broker = executor.broker.clone();
    let mut lanes = all_lanes(&broker, &queues).await?;
    let mut discover = Instant::now() + DISCOVER;
    let mut failures = 0;
    // Whether a suspect runs, which no other job is to join.
    let mut is_alone = false;
    let mut bells: Option<Bells> = None;
    let mut jobs = JoinSet::new();
    let stop = Stop::new();

    while !shutdown.is_cancelled() {
        while let Some(ended) = jobs.try_join_next() {
            log_panic(ended);
        }
        is_alone &= !jobs.is_empty();
        if is_alone || jobs.len() >= slots as usize {
            bells = None;
            tokio::select! {
                ended = jobs.join_next() => ended.map_or((), log_panic),
                () = shutdown.cancelled() => {}
            }
            continue;
        }
        let listening = match &mut bells {
            Some(bells) => bells,
            None => match listen(&broker, &queues).await {
                Ok(subscribed) => {
                    // What was made while nobody listened rang no bell here.
                    discover = Instant::now();
                    bells.insert(subscribed)
                }
                Err(error) => {
                    pause(&error, &shutdown).await;
                    continue;
                }
            },
        };
        if Instant::now() >= discover {
            let search = broker.find_lanes(&queues, &mut lanes);
            match tokio::time::timeout(SEARCH, search).await {
                Ok(Ok(())) => discover = Instant::now() + DISCOVER,
                Ok(Err(error)) => tracing::debug!(%error, "lanes not found yet"),
                Err(_) => tracing::debug!("lanes not found yet: no answer"),
            }
        }
        match broker.claim(&lanes, executor.worker()).await {
            Ok(Look::Claimed { claim, behind }) => {
                failures = 0;
                is_alone |= is_suspect(claim.run());
                let is_full = is_alone || jobs.len() + 1 >= slots as usize;
                if is_full && behind > 0 {
                    // The bell of a job behind this one may have rung here.
                    pass_on(&broker, &claim.lane()).await;
                }
                let (executor, stop) = (Arc::clone(&executor), stop.clone());
                jobs.spawn(async move { executor.execute(*claim, stop).await });
                continue;
            }
            Ok(Look::Empty) => failures = 0,
            Err(error) => {
                pause(&error, &shutdown).await;
                // A lane may be gone, or a whole broker new.
                failures += 1;
                let search = all_lanes(&broker, &queues);
                if let Ok(Ok(found)) = tokio::time::timeout(SEARCH * failures, search).await {
                    lanes = found;
                }
                bells = None;
                continue;
            }
        }
        let look = Instant::now() + Duration::from_millis(jitter(LOOK_MS));
        tokio::select! {
            bell = listening.next() => match bell {
                Some(bell) => learn(&broker, &queues, &mut lanes, &bell).await,
                None => bells = None,
            },
            () = tokio::time::sleep_until(look) => {}
            Some(ended) = jobs.join_next() => log_panic(ended),
            () = shutdown.cancelled() => {}
        }
    }

    drop(bells);
    tracing::info!(running = jobs.len(), "stopping: no new jobs");
    let deadline = Instant::now() + drain_timeout;
    stop.at(deadline);
    let drained = async {
        while let Some(ended) = jobs.join_next().await {
            log_panic(ended);
        }
    };
    if tokio::time::timeout_at(deadline + GIVE_BACK, drained)
        .await
        .is_err()
    {
        tracing::warn!("not all jobs could be given back; their leases will run out");
        jobs.shutdown().await;
    }
    Ok(())
}

/// Whether a worker has failed over the job before, or vanished with it.
fn is_suspect(run: &Run) -> bool {
    let mut faults = run.failures.iter().map(|attempt| attempt.failure.fault);
    faults.any(|fault| fault == Fault::Worker)
}

/// Joins the queue groups.
async fn listen(broker: &Broker, queues: &[Queue]) -> Result<Bells, BrokerError> {
    let mut bells = Bells::new();
    for queue in queues {
        let bell = subject::wake(queue);
        let subscribed = broker.client().queue_subscribe(bell.clone(), bell).await;
        bells.push(subscribed.map_err(|error| BrokerError::Request {
            what: format!("listening for jobs of the queue {queue}"),
            message: error.to_string(),
        })?);
    }
    Ok(bells)
}

/// A bell may come from a lane that was made since the last search.
async fn learn(broker: &Broker, queues: &[Queue], lanes: &mut Lanes, bell: &async_nats::Message) {
    let place = bell
        .headers
        .as_ref()
        .and_then(|headers| headers.get(async_nats::header::NATS_SUBJECT))
        .and_then(|subject| Place::parse(subject.as_str()));
    if let Some(Place { lane, .. }) = place
        && queues.contains(&lane.queue)
        && let Err(error) = broker.add_lane(lanes, lane).await
    {
        tracing::warn!(%error, "a lane is out of reach");
    }
}

/// Every lane of these queues, as far as anyone has made it or waits there.
async fn all_lanes(broker: &Broker, queues: &[Queue]) -> Result<Lanes, BrokerError> {
    let mut lanes = Lanes::default();
    broker.find_lanes(queues, &mut lanes).await?;
    broker.make_waiting_lanes(queues, &mut lanes).await?;
    Ok(lanes)
}

async fn pass_on(broker: &Broker, lane: &common::queue::Lane) {
    if let Err(error) = broker.ring(lane).await {
        tracing::debug!(%error, "no bell passed on");
    }
}

async fn pause(error: &BrokerError, shutdown: &CancellationToken) {
    tracing::warn!(%error, "the broker gives no answer; trying again");
    tokio::select! {
        () = tokio::time::sleep(TROUBLE) => {}
        () = shutdown.cancelled() => {}
    }
}

/// A number in the range that differs between workers and looks.
fn jitter(range: std::ops::Range<u64>) -> u64 {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    range.start + random % (range.end - range.start)
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a job's task died; its lease will run out");
    }
}
