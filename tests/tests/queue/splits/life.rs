//! How a split job goes if nothing breaks, whatever the order.

use std::sync::atomic::{AtomicU32, Ordering};

use common::job::event::What;
use common::job::failure::Failure;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_chunks_are_made_by_several_workers_and_joined_once() {
    let (server, broker, known, plan) = split(40).await;
    let made = AtomicU32::new(0);
    let work = async |worker: &str| {
        let (broker, _) = crate::connect(&server.0).await;
        let known = all_lanes(&broker).await;
        while !run_of(&broker, &plan.job.id).await.state.is_terminal() {
            let look = broker.poll(&known, &crate::name(worker), 3).await;
            for (claim, ()) in look.expect("an answer").claims {
                if claim.job().id.is_whole() {
                    let report = joined(&broker, &plan, worker).await;
                    let done = claim.record_completed(report).await.expect("ours");
                    finish(&broker, done).await;
                } else {
                    made.fetch_add(1, Ordering::Relaxed);
                    complete(&broker, claim, worker).await;
                }
            }
        }
    };
    tokio::join!(work("w1"), work("w2"), work("w3"), work("w4"));
    assert_eq!(made.load(Ordering::Relaxed), 41, "each part once");
    is_clean(&broker, &plan).await;
    let run = run_of(&broker, &plan.job.id).await;
    assert!(run.report().is_some(), "{run:#?}");
    assert_eq!((run.attempt, run.spent()), (2, 1), "planning used up none");
    let events = poll::until("the whole history", async || {
        let events = broker.events(&plan.job.id).await.ok()?;
        (events.len() == 5).then_some(events)
    })
    .await;
    let kinds: Vec<&str> = events.iter().map(|event| event.what.kind()).collect();
    assert_eq!(
        kinds,
        ["queued", "claimed", "split", "claimed", "completed"]
    );
    assert!(matches!(events[2].what, What::Split(41)));
    let told = subjects(&broker, "EVENTS").await;
    assert!(
        told.iter().all(|subject| !subject.contains("chunk")),
        "{told:?}"
    );
    assert!(claim(&broker, &known, "w1").await.is_none());
}

#[tokio::test]
async fn of_two_last_parts_that_end_at_once_one_has_the_pieces_joined() {
    let (_server, broker, known, plan) = split(1).await;
    let first = claim_in_time(&broker, &known, "a").await;
    let second = claim_in_time(&broker, &known, "b").await;
    assert_eq!(first.job().id.part(), Part::Rest, "it comes first");
    let (first, second) = tokio::join!(make(first, "a"), make(second, "b"));
    tokio::join!(
        finish(&broker, first.expect("ours")),
        finish(&broker, second.expect("ours"))
    );
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn parts_that_are_all_done_before_the_job_is_written_as_split_are_joined() {
    let (_server, broker, mut known) = start().await;
    enqueue(&broker, &film("film")).await;
    find(&broker, &mut known).await;
    let planner = claim_in_time(&broker, &known, "planner").await;
    let plan = plan_only(&broker, &planner, 2).await;
    // The message for the join comes too early, and is dropped.
    complete_all(&broker, &known, "w").await;
    assert!(claim(&broker, &known, "w").await.is_none());
    planner.split(3).await.expect("ours");
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_plan_is_stored_once() {
    let (_server, broker, _, plan) = split(2).await;
    let other = plan_of(&plan.job, &lane(5), 9);
    assert_eq!(broker.put_plan(&other).await.expect("stored"), plan);
    let by_part = broker.plan(&part(&plan, Part::Rest)).await;
    assert_eq!(by_part.expect("an answer"), Some(plan));
}

#[tokio::test]
async fn listings_show_the_whole_job_only() {
    let (_server, broker, known, plan) = split(3).await;
    let one = claim_in_time(&broker, &known, "w").await;
    let jobs = broker.jobs(true).await.expect("an answer");
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].job().id, plan.job.id);
    let (queued, _) = broker.queued(None, 1, 100).await.expect("an answer");
    assert!(queued.is_empty(), "{queued:?}");
    assert_eq!(broker.runs().await.expect("an answer").len(), 1);
    let (changes, _) = broker.run_changes(1, 100).await.expect("an answer");
    assert_eq!(changes.len(), 1);
    let all = broker.run_changes_with_parts(1, 100).await;
    let (changes, _) = all.expect("an answer");
    assert_eq!(changes.len(), 2, "the whole job, and the claimed part");
    let by_id = run_of(&broker, &one.job().id).await;
    assert_eq!(by_id.job.output, plan.piece(one.job().id.part()));
    let statuses = broker.lane_statuses().await.expect("an answer");
    let encodes = statuses.iter().find(|status| status.lane == lane(5));
    let counts = encodes.map(|lane| (lane.pending, lane.running));
    assert_eq!(counts, Some((3, 1)), "parts are work that waits");
}

/// Makes the rest of a plan of one chunk; returns the claim of the chunk.
async fn all_but_the_chunk(broker: &Broker, known: &Lanes) -> Claim {
    let rest = claim_in_time(broker, known, "a").await;
    complete(broker, rest, "a").await;
    claim_in_time(broker, known, "slow").await
}

#[tokio::test]
async fn a_second_run_of_a_chunk_ends_the_first_one() {
    let (_server, broker, known, plan) = split(1).await;
    let slow = all_but_the_chunk(&broker, &known).await;
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    assert!(!broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let twin = claim_in_time(&broker, &known, "quick").await;
    assert_eq!(twin.job().id.part(), Part::Twin(0));
    assert!(!broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    complete(&broker, twin, "quick").await;
    let first = run_of(&broker, &slow.job().id).await;
    assert_eq!(first.state, RunState::Cancelled);
    assert!(make(slow.clone(), "slow").await.is_err(), "not its own");
    slow.ack().await;
    let state = broker.split_state(&plan.job.id).await.expect("an answer");
    assert!(state.has(Part::Chunk(0)));
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_second_run_that_loses_is_ended() {
    let (_server, broker, known, plan) = split(1).await;
    let slow = all_but_the_chunk(&broker, &known).await;
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let twin = claim_in_time(&broker, &known, "late").await;
    complete(&broker, slow, "slow").await;
    assert!(!broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let second = run_of(&broker, &twin.job().id).await;
    assert_eq!(second.state, RunState::Cancelled);
    twin.ack().await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_second_run_that_waits_goes_with_the_first_one() {
    let (_server, broker, known, plan) = split(1).await;
    let slow = all_but_the_chunk(&broker, &known).await;
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    complete(&broker, slow, "slow").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_second_run_may_fail() {
    let (_server, broker, known, plan) = split(1).await;
    let slow = all_but_the_chunk(&broker, &known).await;
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let twin = claim_in_time(&broker, &known, "late").await;
    let failed = twin.fail(Failure::input("no picture")).await;
    failed.expect("ours");
    let whole = run_of(&broker, &plan.job.id).await;
    assert!(matches!(whole.state, RunState::Split { .. }), "{whole:#?}");
    complete(&broker, slow, "slow").await;
    join(&broker, &known, &plan).await;
}
