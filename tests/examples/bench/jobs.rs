//! Jobs without work, as benchmarks of the queue enqueue and complete them.

use common::broker::{Broker, Claim, ClaimError, EnqueueResult};
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::id::BatchId;
use common::job::input::Input;
use common::names::location::Location;
use common::testing;
use harness::farm::recipe;
use uuid::Uuid;

/// Jobs that the worker runs at once.
pub(crate) const SLOTS: usize = 16;

/// Enqueues jobs, all of which are new.
pub(crate) async fn all(broker: &Broker, jobs: &[(Job, Lane)]) {
    let outcomes = broker.enqueue(jobs, |_| {}).await;
    let outcomes = outcomes.expect("the broker takes them");
    let refused = outcomes
        .iter()
        .find(|(_, outcome)| *outcome != EnqueueResult::Added);
    assert!(refused.is_none(), "{refused:?}");
}

/// Jobs that differ in their names only, of a realistic size. Every call makes different jobs.
pub(crate) fn jobs(count: usize) -> Vec<(Job, Lane)> {
    let recipe = recipe("libx264");
    let lane = Lane {
        priority: Priority::default(),
        queue: recipe.queue(),
    };
    let (batch, salt) = (BatchId::new(), Uuid::now_v7());
    let job = |number: usize| {
        let place = |name: String| Location::s3("media", &name).expect("a bucket");
        let input = Input {
            location: place(format!("films/season one/episode {number}.mp4")),
            size: 1_000_000,
            version: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        };
        // Each job has an output of its own.
        let output = place(format!("out/{salt}/episode {number}.mkv"));
        Job::new(batch, input, output, recipe.clone(), Some(salt))
    };
    (0..count)
        .map(|number| (job(number), lane.clone()))
        .collect()
}

/// The queue that all benchmarks of the queue use.
pub(crate) fn queue() -> Queue {
    recipe("libx264").queue()
}

/// Completes a job that was not really run.
pub(crate) async fn complete(claim: Claim, worker: WorkerName) -> Result<(), ClaimError> {
    let report = testing::report(worker.as_str(), "libx265", 0, 0.0);
    claim.complete(report).await.map(drop)
}
