//! Other priorities and queues, set by a person or opened by time.

use std::time::Duration;

use common::broker::{Broker, ClaimError, Lanes, Lease, LeaseEnd, SteerResult};
use common::farm::queue::{Lane, Priority};
use common::job::run::Run;
use common::job::{Fallbacks, Job};
use common::names::subject;
use common::names::subject::RUNS;
use common::wire;
use harness::poll;
use jiff::Timestamp;

use super::{lanes_with, messages, only_job, queue};
use crate::{claim, claim_in_time, job, lane, lanes, report, start, with_one_job};

#[tokio::test]
async fn a_pending_job_moves_to_another_priority_and_queue() {
    let (_server, broker, mut known) = with_one_job().await;
    let first = only_job(&broker).await;
    let second = job("b");
    broker
        .enqueue(&[(second.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let urgent = Some(Priority::try_from(9).expect("in range"));
    broker
        .move_job(&second.id, None, urgent)
        .await
        .expect("an answer");
    let pinned = queue("on_w2");
    broker
        .move_job(&first.id, Some(&pinned), None)
        .await
        .expect("an answer");
    assert_eq!(
        messages(&broker).await,
        2,
        "nothing is left where they were"
    );
    lanes(&broker, &mut known).await;
    let taken = claim(&broker, &known, "w1").await.expect("the urgent one");
    assert_eq!(taken.job().id, second.id);
    assert!(claim(&broker, &known, "w1").await.is_none(), "it is pinned");
    lanes_with(&broker, &mut known, &pinned).await;
    let taken = claim(&broker, &known, "w2").await.expect("the pinned one");
    assert_eq!((taken.job().id, taken.run().spent()), (first.id, 1));
}

#[tokio::test]
async fn a_running_job_moves_and_its_owner_lets_go() {
    let (_server, broker, mut known) = with_one_job().await;
    let owner = claim(&broker, &known, "w1").await.expect("a job");
    let lease = Lease::keep(&owner);
    let pinned = queue("on_w2");
    let moved = broker.move_job(&owner.job().id, Some(&pinned), None).await;
    assert!(matches!(moved, Ok(SteerResult::Done(_))), "{moved:?}");
    tokio::time::timeout(Duration::from_secs(2), lease.over().cancelled())
        .await
        .expect("told at once");
    assert_eq!(lease.ended(), Some(LeaseEnd::Moved));
    drop(lease);
    assert!(matches!(
        owner.complete(report("w1")).await,
        Err(ClaimError::Elsewhere)
    ));
    lanes_with(&broker, &mut known, &pinned).await;
    let taken = claim_in_time(&broker, &known, "w2").await;
    assert_eq!((taken.run().attempt, taken.run().spent()), (2, 1));
    taken.complete(report("w2")).await.expect("ours");
    poll::until("an empty queue", async || {
        (messages(&broker).await == 0).then_some(())
    })
    .await;
}

/// Writes a run as a program does that dies right afterwards.
async fn write_run(broker: &Broker, run: &Run) {
    let key = subject::kv(RUNS, &subject::run(&run.job.id));
    let stored = broker.jetstream().publish(key, wire::encode(run)).await;
    stored.expect("sent").await.expect("stored");
}

#[tokio::test]
async fn a_worker_that_finds_a_moved_job_in_its_old_lane_moves_it_on() {
    let (_server, broker, mut known) = with_one_job().await;
    let job = only_job(&broker).await;
    let there = Lane {
        queue: queue("on_w2"),
        ..lane(5)
    };
    // The move was written to the run, and then the mover died: no message was sent.
    let now = Timestamp::now();
    let moved = Run::unclaimed(job.clone(), &lane(5), now).move_to(&there, now);
    write_run(&broker, &moved.expect("it waits")).await;
    assert!(claim(&broker, &known, "w1").await.is_none());
    lanes_with(&broker, &mut known, &there.queue).await;
    broker
        .make_waiting_lanes(&[there.queue], &mut known)
        .await
        .expect("lanes");
    let taken = claim(&broker, &known, "w2").await.expect("sent on");
    assert_eq!(taken.job().id, job.id);
}

#[tokio::test]
async fn a_job_hops_to_its_next_queue_only_after_its_time() {
    let (_server, broker, mut known) = start().await;
    let next = queue("libx265");
    let hopping = Job {
        fallbacks: Some(Fallbacks {
            queues: vec![next.clone()],
            after: 2,
        }),
        ..job("hopping")
    };
    let enqueued = tokio::time::Instant::now();
    broker
        .enqueue(&[(hopping.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    broker
        .find_lanes(std::slice::from_ref(&next), &mut known)
        .await
        .expect("lanes");
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert!(enqueued.elapsed() >= Duration::from_secs(1), "too early");
    assert_eq!(taken.run().queue, next);
    // The job still waits in its first queue, where no worker may take it now.
    let mut first = Lanes::default();
    lanes(&broker, &mut first).await;
    assert!(claim(&broker, &first, "w2").await.is_none());
    taken.complete(report("w1")).await.expect("ours");
    poll::until("both queues to be empty", async || {
        (messages(&broker).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn equal_priorities_start_in_the_order_of_enqueueing_over_all_queues() {
    let (_server, broker, mut known) = start().await;
    let other = queue("libx265");
    for (nth, queue) in ["libx265", "libx264", "libx264", "libx265"]
        .iter()
        .enumerate()
    {
        let lane = Lane {
            queue: queue.parse().expect("a queue"),
            ..lane(5)
        };
        broker
            .enqueue(&[(job(&nth.to_string()), lane)], |_| {})
            .await
            .expect("enqueued");
    }
    lanes_with(&broker, &mut known, &other).await;
    let mut order = Vec::new();
    while let Some(claim) = claim(&broker, &known, "w1").await {
        order.push(claim.job().input.location.name());
    }
    assert_eq!(order, ["0", "1", "2", "3"]);
}
