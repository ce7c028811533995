//! A person changes jobs: cancel, move, retry, pause, other queues.

mod cancel;
mod moves;
mod pause;
mod retry;

use common::broker::{Broker, Lanes};
use common::farm::queue::Queue;
use common::job::Job;
use common::job::state::JobState;

pub(super) fn queue(text: &str) -> Queue {
    text.parse().expect("a queue")
}

/// The lanes of the usual queue and of another one.
pub(super) async fn lanes_with(broker: &Broker, known: &mut Lanes, other: &Queue) {
    broker
        .find_lanes(&[queue("libx264"), other.clone()], known)
        .await
        .expect("lanes");
}

pub(super) async fn only_job(broker: &Broker) -> Job {
    let (queued, _) = broker.queued(None, 1, 10).await.expect("an answer");
    queued[0].job.clone()
}

pub(super) async fn state(broker: &Broker, job: &Job) -> JobState {
    let record = broker.job(&job.id).await.expect("an answer");
    record.expect("known").state()
}

/// The number of all messages in the work queue.
pub(super) async fn messages(broker: &Broker) -> u64 {
    broker.queue_extent().await.expect("an answer").1
}
