//! A split job that fails, and parts whose job has ended.

use common::broker::{Lease, LeaseEnd};
use common::job::failure::Failure;

use super::*;

pub(super) async fn lease_ends(lease: &Lease) -> LeaseEnd {
    lease.over().cancelled().await;
    lease.ended().expect("it is over")
}

#[tokio::test]
async fn a_part_that_fails_for_good_fails_the_job_and_ends_the_others() {
    let (_server, broker, known, plan) = split(4).await;
    let held = claim_in_time(&broker, &known, "a").await;
    let lease = Lease::keep(&held);
    let failing = claim_in_time(&broker, &known, "b").await;
    let number = failing.job().id.part().chunk().expect("a chunk");
    let failed = failing.fail(Failure::input("no picture")).await;
    failed.expect("ours");
    let whole = run_of(&broker, &plan.job.id).await;
    let RunState::Failed { failure } = &whole.state else {
        panic!("{whole:#?}");
    };
    assert_eq!(failure.message, format!("chunk {number}: no picture"));
    let letter = broker.dead_letter(&plan.job.id).await.expect("an answer");
    assert_eq!(letter.map(|run| run.state), Some(whole.state.clone()));
    assert_eq!(subjects(&broker, "DEAD").await.len(), 1, "parts have none");
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    held.ack().await;
    is_queue_empty(&broker).await;
    // What is kept of it is removed only when somebody says so, and then all of it.
    assert_eq!(broker.plans().await.expect("an answer").len(), 1);
    broker.forget_split(&plan).await.expect("an answer");
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_part_that_fails_before_the_job_is_written_as_split_fails_it_afterwards() {
    let (_server, broker, known, planner, plan) = planned(1).await;
    let failing = claim_in_time(&broker, &known, "w").await;
    let failed = failing.fail(Failure::input("no sound")).await;
    failed.expect("ours");
    let whole = run_of(&broker, &plan.job.id).await;
    assert!(matches!(whole.state, RunState::Running { .. }));
    planner.split(2).await.expect("ours");
    let whole = poll::until("the job to fail", async || {
        let look = broker.poll(&known, &crate::name("other"), 9).await.ok()?;
        for (claim, ()) in look.claims {
            complete(&broker, claim, "other").await;
        }
        let run = run_of(&broker, &plan.job.id).await;
        run.state.is_terminal().then_some(run)
    })
    .await;
    let RunState::Failed { failure } = whole.state else {
        panic!("{whole:#?}");
    };
    assert_eq!(failure.message, "the tracks beside the film: no sound");
}

#[tokio::test]
async fn a_retry_redoes_what_is_missing_only() {
    let (_server, broker, mut known, plan) = split(3).await;
    let rest = claim_in_time(&broker, &known, "a").await;
    complete(&broker, rest, "a").await;
    let failing = claim_in_time(&broker, &known, "b").await;
    let failed = failing.job().id;
    failing
        .fail(Failure::input("no picture"))
        .await
        .expect("ours");
    broker.retry(&plan.job.id).await.expect("an answer");
    let letter = broker.dead_letter(&plan.job.id).await;
    assert!(letter.expect("an answer").is_none());
    find(&broker, &mut known).await;
    let again = claim_in_time(&broker, &known, "planner").await;
    assert_eq!(again.job().id, plan.job.id);
    let stored = broker.plan(&plan.job.id).await.expect("an answer");
    assert_eq!(stored.as_ref(), Some(&plan));
    broker.enqueue_parts(&plan).await.expect("enqueued");
    again.split(4).await.expect("ours");
    let mut done = Vec::new();
    while let Some(claim) = claim(&broker, &known, "w").await {
        let id = claim.job().id;
        if id.is_whole() {
            claim.release().await.expect("ours");
            break;
        }
        done.push(id);
        if id == failed {
            assert_eq!(claim.run().attempt, 2);
        }
        complete(&broker, claim, "w").await;
    }
    done.sort();
    let chunks = (0..3).map(|number| part(&plan, Part::Chunk(number)));
    assert!(chunks.eq(done.iter().copied()), "{done:?}");
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_part_whose_piece_is_gone_is_made_again() {
    let (_server, broker, known, plan) = split(2).await;
    complete_all(&broker, &known, "w").await;
    // The worker that is to join the pieces finds one missing.
    let joiner = claim_in_time(&broker, &known, "joiner").await;
    assert!(joiner.job().id.is_whole());
    let attempts = joiner.run().attempt;
    let gone = [Part::Chunk(1)];
    let unmarked = broker.unmark_parts(&plan.job.id, &gone).await;
    unmarked.expect("an answer");
    broker.enqueue_parts(&plan).await.expect("enqueued");
    joiner.split(3).await.expect("ours");
    let again = claim_in_time(&broker, &known, "w").await;
    assert_eq!(again.job().id.part(), Part::Chunk(1));
    complete(&broker, again, "w").await;
    join(&broker, &known, &plan).await;
    let run = run_of(&broker, &plan.job.id).await;
    assert_eq!((run.attempt, run.spent()), (attempts + 1, 1));
}

/// The whole job has ended, and whoever ended it has died before it could end the parts.
async fn cancelled_by_one_that_died(broker: &Broker, plan: &Plan) {
    let run = run_of(broker, &plan.job.id).await;
    let ended = run.cancel(broker.now()).expect("it lives");
    write_and_die(broker, &ended).await;
}

#[tokio::test]
async fn parts_of_an_ended_job_end_by_themselves() {
    let (_server, broker, known, plan) = split(5).await;
    let held = claim_in_time(&broker, &known, "a").await;
    let lease = Lease::keep(&held);
    cancelled_by_one_that_died(&broker, &plan).await;
    let none = claim(&broker, &known, "b").await;
    assert!(none.is_none(), "none is claimed");
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    held.ack().await;
    is_queue_empty(&broker).await;
    let runs = broker.part_runs(&plan).await.expect("an answer");
    assert_eq!(runs.len(), 6);
    let is_cancelled = |run: &Run| run.state == RunState::Cancelled;
    assert!(runs.iter().all(is_cancelled), "{runs:#?}");
    broker.forget_split(&plan).await.expect("an answer");
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_part_that_ended_with_a_job_that_was_retried_meanwhile_comes_back() {
    let (_server, broker, known, plan) = split(1).await;
    let held = claim_in_time(&broker, &known, "a").await;
    cancelled_by_one_that_died(&broker, &plan).await;
    // The next attempt finds the part running, and leaves it alone.
    broker.retry(&plan.job.id).await.expect("an answer");
    let lease = Lease::keep(&held);
    let again = loop {
        let claim = claim_in_time(&broker, &known, "planner").await;
        if claim.job().id.is_whole() {
            break claim;
        }
        complete(&broker, claim, "b").await;
    };
    broker.enqueue_parts(&plan).await.expect("enqueued");
    again.split(2).await.expect("ours");
    // A program that had seen the job ended writes that only now, and dies.
    let late = held.run().cancel(broker.now()).expect("it runs");
    write_and_die(&broker, &late).await;
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    held.ack().await;
    complete_all(&broker, &known, "b").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn nothing_is_forgotten_of_a_job_that_lives() {
    let (_server, broker, known, plan) = split(2).await;
    broker.forget_split(&plan).await.expect("an answer");
    let stored = broker.plan(&plan.job.id).await.expect("an answer");
    assert_eq!(stored.as_ref(), Some(&plan));
    complete_all(&broker, &known, "w").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn an_attempt_whose_plan_was_forgotten_meanwhile_does_not_strand_its_job() {
    let (_server, broker, known, plan) = split(1).await;
    cancelled_by_one_that_died(&broker, &plan).await;
    broker.forget_split(&plan).await.expect("an answer");
    assert_eq!(broker.plan(&plan.job.id).await.expect("an answer"), None);
    broker.retry(&plan.job.id).await.expect("an answer");
    let again = claim_in_time(&broker, &known, "planner").await;
    // It had read the plan before.
    let refused = broker.enqueue_parts(&plan).await;
    refused.expect_err("there is no plan");
    again.split(2).await.expect("ours");
    let anew = claim_in_time(&broker, &known, "planner").await;
    assert_eq!(anew.job().id, plan.job.id);
    let plan = self::plan(&broker, anew, 2).await;
    complete_all(&broker, &known, "w").await;
    join(&broker, &known, &plan).await;
}

/// A failure of a part that an encode of the whole need not have.
fn of_split(what: &str) -> Failure {
    Failure::input(what).of_split()
}

/// Claims the job that is encoded as a whole after all, and completes it.
async fn encode_whole(broker: &Broker, known: &Lanes, plan: &Plan, why: &str) {
    let whole = claim_in_time(broker, known, "encoder").await;
    assert_eq!((whole.job().id, whole.lane()), (plan.job.id, plan.lane()));
    assert_eq!(whole.run().spent(), 1, "giving up uses up no attempt");
    let state = broker.split_state(&plan.job.id).await.expect("an answer");
    assert_eq!(state.unsplit.as_deref(), Some(why));
    let report = Report {
        split: Some(SplitReport::Whole(why.to_owned())),
        ..report("encoder")
    };
    let done = whole.record_completed(report).await.expect("ours");
    finish(broker, done).await;
    is_queue_empty(broker).await;
    is_clean(broker, plan).await;
}

#[tokio::test]
async fn a_part_that_cannot_be_made_has_the_job_encoded_as_a_whole() {
    let (_server, broker, known, plan) = split(4).await;
    let held = claim_in_time(&broker, &known, "a").await;
    let lease = Lease::keep(&held);
    let failing = claim_in_time(&broker, &known, "b").await;
    let number = failing.job().id.part().chunk().expect("a chunk");
    let failed = failing.fail(of_split("too few frames")).await;
    failed.expect("ours");
    let run = run_of(&broker, &plan.job.id).await;
    assert!(matches!(run.state, RunState::Queued { .. }), "{run:#?}");
    assert_eq!(run.lane(), plan.lane());
    assert_eq!(lease_ends(&lease).await, LeaseEnd::Cancelled);
    held.ack().await;
    assert_eq!(subjects(&broker, "DEAD").await.len(), 0);
    let why = format!("chunk {number}: too few frames");
    encode_whole(&broker, &known, &plan, &why).await;
}

#[tokio::test]
async fn a_part_that_cannot_be_made_before_the_job_is_written_as_split_counts_as_well() {
    let (_server, broker, known, planner, plan) = planned(1).await;
    let failing = claim_in_time(&broker, &known, "w").await;
    let failed = failing.fail(of_split("no sound")).await;
    failed.expect("ours");
    let run = run_of(&broker, &plan.job.id).await;
    assert!(matches!(run.state, RunState::Running { .. }));
    planner.split(2).await.expect("ours");
    let why = "the tracks beside the film: no sound";
    encode_whole(&broker, &known, &plan, why).await;
}

#[tokio::test]
async fn pieces_that_cannot_be_joined_have_the_job_encoded_as_a_whole() {
    let (_server, broker, known, plan) = split(2).await;
    complete_all(&broker, &known, "w").await;
    let joiner = claim_in_time(&broker, &known, "joiner").await;
    assert_eq!(joiner.lane(), plan.lane());
    let run = joiner.unsplit("the order of frames differs").await;
    assert_eq!(run.expect("ours").lane(), plan.lane());
    encode_whole(&broker, &known, &plan, "the order of frames differs").await;
}

#[tokio::test]
async fn a_split_that_was_given_up_by_one_that_died_is_given_up() {
    // The worker of the failed part dies after the run of the part is written.
    let (_server, broker, known, plan) = split(3).await;
    let failing = claim_in_time(&broker, &known, "a").await;
    let id = failing.job().id;
    let failed = failing
        .run()
        .fail(of_split("odd"), jiff::SignedDuration::ZERO, broker.now());
    write_and_die(&broker, &failed).await;
    drop(failing);
    let why = poll::until("the split to be given up", async || {
        let look = broker.poll(&known, &crate::name("b"), 1).await.ok()?;
        for (claim, ()) in look.claims {
            claim.release().await.expect("ours");
        }
        let state = broker.split_state(&id).await.ok()?;
        state.unsplit
    })
    .await;
    poll::until("the job to be the only one", async || {
        let claim = claim(&broker, &known, "b").await?;
        let is_whole = claim.job().id.is_whole();
        claim.release().await.expect("ours");
        is_whole.then_some(())
    })
    .await;
    encode_whole(&broker, &known, &plan, &why).await;
}

#[tokio::test]
async fn a_twin_that_comes_after_the_split_was_given_up_changes_nothing() {
    let (_server, broker, known, plan) = split(1).await;
    let rest = claim_in_time(&broker, &known, "a").await;
    complete(&broker, rest, "a").await;
    let chunk = claim_in_time(&broker, &known, "a").await;
    assert!(broker.enqueue_twin(&plan, 0).await.expect("an answer"));
    let twin = claim_in_time(&broker, &known, "b").await;
    let done = make(twin, "b").await.expect("ours");
    chunk.fail(of_split("odd")).await.expect("ours");
    finish(&broker, done).await;
    encode_whole(&broker, &known, &plan, "chunk 0: odd").await;
}
