//! People cancel, move and retry split jobs: the parts go along.

use common::broker::{Lease, LeaseEnd, SteerResult};
use common::farm::queue::Priority;
use common::job::event::What;

use super::ends::lease_ends;
use super::*;

fn done(result: &SteerResult) -> &Run {
    match result {
        SteerResult::Done(run) => run,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn cancelling_the_job_ends_its_parts() {
    let (_server, broker, known, plan) = split(5).await;
    let one = claim_in_time(&broker, &known, "a").await;
    complete(&broker, one, "a").await;
    let held = claim_in_time(&broker, &known, "a").await;
    let lease = Lease::keep(&held);
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let cancelled = broker.cancel(&plan.job.id).await.expect("an answer");
    assert_eq!(done(&cancelled).state, RunState::Cancelled);
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    held.ack().await;
    assert_eq!(subjects(&broker, "JOBS").await, Vec::<String>::new());
    assert!(claim(&broker, &known, "b").await.is_none());
    // Pieces that are there stay for a retry.
    let state = broker.split_state(&plan.job.id).await.expect("an answer");
    assert!(state.rest);
    let again = broker.cancel(&plan.job.id).await.expect("an answer");
    assert!(matches!(again, SteerResult::TooLate(_)));

    broker.retry(&plan.job.id).await.expect("an answer");
    let planner = claim_in_time(&broker, &known, "planner").await;
    assert_eq!(planner.job().id, plan.job.id);
    broker.enqueue_parts(&plan).await.expect("enqueued");
    planner.split(6).await.expect("ours");
    complete_all(&broker, &known, "b").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn moving_the_job_moves_the_parts_that_wait_and_run() {
    let (_server, broker, mut known, plan) = split(4).await;
    let one = claim_in_time(&broker, &known, "a").await;
    complete(&broker, one, "a").await;
    let held = claim_in_time(&broker, &known, "a").await;
    let lease = Lease::keep(&held);
    let own: Queue = "on_w9".parse().expect("a queue");
    let moved = broker.move_job(&plan.job.id, Some(&own), None).await;
    let moved = moved.expect("an answer");
    assert!(matches!(done(&moved).state, RunState::Split { .. }));
    assert_eq!(done(&moved).queue, own);
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Moved);
    held.ack().await;
    assert!(claim(&broker, &known, "a").await.is_none());
    let messages = subjects(&broker, "JOBS").await;
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert!(
        messages
            .iter()
            .all(|subject| subject.starts_with("jobs.on_w9.5.")),
        "{messages:?}"
    );
    let stored = broker.plan(&plan.job.id).await.expect("an answer");
    let stored = stored.expect("it is there");
    assert_eq!(stored.queue, own, "parts of later go there");
    broker.find_lanes(&[own], &mut known).await.expect("lanes");
    complete_all(&broker, &known, "w9").await;
    // The worker that a person has chosen joins the pieces as well.
    let lanes = broker.find_lanes(std::slice::from_ref(&stored.queue), &mut known);
    lanes.await.expect("lanes");
    join(&broker, &known, &stored).await;
    let events = broker.events(&plan.job.id).await.expect("an answer");
    let is_moved = |event: &common::job::event::Event| matches!(event.what, What::Moved(_));
    assert_eq!(events.iter().filter(|event| is_moved(event)).count(), 1);
}

#[tokio::test]
async fn a_more_urgent_job_has_more_urgent_parts_and_a_more_urgent_join() {
    let (_server, broker, mut known, plan) = split(2).await;
    let held = claim_in_time(&broker, &known, "a").await;
    let urgent = Priority::try_from(9).expect("in range");
    let moved = broker.move_job(&plan.job.id, None, Some(urgent)).await;
    assert_eq!(done(&moved.expect("an answer")).priority, urgent);
    let messages = subjects(&broker, "JOBS").await;
    let at = |priority: &str| {
        let lane = format!("jobs.libx264.{priority}.");
        messages.iter().filter(|one| one.starts_with(&lane)).count()
    };
    assert_eq!((at("5"), at("9")), (1, 2), "what runs stays: {messages:?}");
    find(&broker, &mut known).await;
    complete(&broker, held, "a").await;
    complete_all(&broker, &known, "b").await;
    let join = Lane {
        queue: Queue::Copy,
        ..lane(10)
    };
    broker.add_lane(&mut known, join.clone()).await.expect("it");
    let joiner = claim_in_time(&broker, &known, "joiner").await;
    assert_eq!(joiner.lane(), lane(9), "the job keeps its lane");
    // A person may cancel a join as well.
    let lease = Lease::keep(&joiner);
    broker.cancel(&plan.job.id).await.expect("an answer");
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    joiner.ack().await;
    // The retry goes to the queue of the encoder, since the plan may be gone by then.
    let retried = broker.retry(&plan.job.id).await.expect("an answer");
    assert_eq!(done(&retried).lane(), lane(9));
    let again = claim_in_time(&broker, &known, "w").await;
    let state = broker.split_state(&plan.job.id).await.expect("an answer");
    assert!(state.is_complete(&plan), "nothing is missing");
    let report = joined(&broker, &plan, "w").await;
    let completed = again.record_completed(report).await.expect("ours");
    finish(&broker, completed).await;
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_part_changes_with_its_job_only() {
    let (_server, broker, known, plan) = split(1).await;
    let id = part(&plan, Part::Chunk(0));
    let lowest = Priority::try_from(1).expect("in range");
    for refused in [
        broker.cancel(&id).await,
        broker.retry(&id).await,
        broker.move_job(&id, None, Some(lowest)).await,
    ] {
        let SteerResult::Refused(why) = refused.expect("an answer") else {
            panic!("it was changed");
        };
        assert!(why.contains(&plan.job.id.to_string()), "{why}");
    }
    complete_all(&broker, &known, "w").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_job_that_is_forgotten_is_forgotten_with_its_parts() {
    let (_server, broker, known, plan) = split(3).await;
    let one = claim_in_time(&broker, &known, "w").await;
    complete(&broker, one, "w").await;
    broker.forget(&plan.job.id).await.expect("an answer");
    is_queue_empty(&broker).await;
    for bucket in [subject::PLANS, subject::RUNS] {
        assert_eq!(keys(&broker, bucket).await, Vec::<String>::new());
    }
}
