//! Programs that die, at each point between two writes: the message comes again, and the next worker does the rest.

use common::broker::Decline;
use common::job::failure::Failure;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::claimant::TestClaimant;

#[tokio::test]
async fn a_worker_that_dies_with_a_part_loses_it_to_another() {
    let (_server, broker, known, plan) = split(1).await;
    drop(claim_in_time(&broker, &known, "a").await);
    let chunk = claim_in_time(&broker, &known, "b").await;
    complete(&broker, chunk, "b").await;
    let again = claim_in_time(&broker, &known, "b").await;
    assert_eq!(again.run().attempt, 2);
    complete(&broker, again, "b").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_part_that_was_recorded_and_not_marked_is_marked_by_the_next_worker() {
    let (_server, broker, known, plan) = split(1).await;
    let rest = claim_in_time(&broker, &known, "a").await;
    drop(make(rest, "a").await.expect("ours"));
    let chunk = claim_in_time(&broker, &known, "b").await;
    complete(&broker, chunk, "b").await;
    let again = comes_again(&broker, &known).await;
    assert_eq!(again.run().job.id.part(), Part::Rest);
    finish(&broker, again).await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_last_part_that_was_marked_and_no_more_has_the_pieces_joined_by_the_next_worker() {
    let (_server, broker, known, plan) = split(1).await;
    let rest = claim_in_time(&broker, &known, "a").await;
    complete(&broker, rest, "a").await;
    let chunk = claim_in_time(&broker, &known, "a").await;
    let done = make(chunk, "a").await.expect("ours");
    let mut state = broker.split_state(&plan.job.id).await.expect("it");
    state.mark(Part::Chunk(0));
    let key = subject::kv(subject::PLANS, &subject::split_state(&plan.job.id));
    let sent = broker.jetstream().publish(key, wire::encode(&state)).await;
    sent.expect("sent").await.expect("stored");
    drop(done);
    finish(&broker, comes_again(&broker, &known).await).await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_planner_that_dies_before_the_job_is_split_is_followed_by_one_that_finds_the_plan() {
    for is_enqueued in [false, true] {
        let (_server, broker, mut known) = start().await;
        enqueue(&broker, &film("film")).await;
        find(&broker, &mut known).await;
        let planner = claim_in_time(&broker, &known, "planner").await;
        let plan = plan_of(planner.job(), &lane(5), 2);
        broker.put_plan(&plan).await.expect("stored");
        if is_enqueued {
            broker.enqueue_parts(&plan).await.expect("enqueued");
        }
        drop(planner);
        // Meanwhile the parts are made, if there are any.
        let again = loop {
            let claim = claim_in_time(&broker, &known, "b").await;
            if claim.job().id.is_whole() {
                break claim;
            }
            complete(&broker, claim, "b").await;
        };
        let stored = broker.plan(&plan.job.id).await.expect("an answer");
        assert_eq!(stored.as_ref(), Some(&plan));
        let state = broker.split_state(&plan.job.id).await.expect("an answer");
        assert_eq!(state.is_complete(&plan), is_enqueued);
        broker.enqueue_parts(&plan).await.expect("enqueued");
        again.split(3).await.expect("ours");
        complete_all(&broker, &known, "b").await;
        join(&broker, &known, &plan).await;
    }
}

#[tokio::test]
async fn a_planner_that_dies_with_parts_under_way_is_followed_by_one_that_doubles_none() {
    let (_server, broker, mut known) = start().await;
    enqueue(&broker, &film("film")).await;
    find(&broker, &mut known).await;
    let planner = claim_in_time(&broker, &known, "planner").await;
    let plan = plan_only(&broker, &planner, 4).await;
    let held = claim_in_time(&broker, &known, "a").await;
    let _lease = common::broker::Lease::keep(&held);
    let one = claim_in_time(&broker, &known, "b").await;
    complete(&broker, one, "b").await;
    // Three parts wait, one runs, one is done.
    broker.enqueue_parts(&plan).await.expect("enqueued");
    let waiting = subjects(&broker, "JOBS").await;
    assert_eq!(waiting.len(), 1 + 4, "the job and its parts: {waiting:?}");
    planner.split(5).await.expect("ours");
    let mut made = 0;
    while let Some(claim) = claim(&broker, &known, "b").await {
        made += 1;
        complete(&broker, claim, "b").await;
    }
    assert_eq!(made, 3);
    complete(&broker, held, "a").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_message_of_a_split_job_that_was_not_acknowledged_does_no_harm() {
    for is_early in [false, true] {
        let (_server, broker, mut known) = start().await;
        enqueue(&broker, &film("film")).await;
        find(&broker, &mut known).await;
        let planner = claim_in_time(&broker, &known, "planner").await;
        let plan = plan_only(&broker, &planner, 1).await;
        let split = planner.run().split(2, broker.now());
        write_and_die(&broker, &split).await;
        drop(planner);
        if !is_early {
            let picky = TestClaimant::new("picky", |job| {
                let later = Decline::Leave(SignedDuration::from_millis(1));
                (!job.id.is_whole()).then_some(later)
            });
            poll::until("the message to come again and be dropped", async || {
                let look = broker.poll(&known, &picky, 9).await.ok()?;
                assert!(look.claims.is_empty(), "it is split");
                known.end_all_rests();
                let whole = subject::job(&lane(5), &plan.job.id);
                let left = subjects(&broker, "JOBS").await;
                (!left.contains(&whole)).then_some(())
            })
            .await;
        }
        // If the first message is still there, the job has two then: one worker gets it, from either lane.
        let joiner = loop {
            let claim = claim_in_time(&broker, &known, "w").await;
            if claim.job().id.is_whole() {
                break claim;
            }
            complete(&broker, claim, "w").await;
        };
        assert_eq!(joiner.job().id, plan.job.id);
        let report = joined(&broker, &plan, "joiner").await;
        let done = joiner.record_completed(report).await.expect("ours");
        finish(&broker, done).await;
        is_clean(&broker, &plan).await;
    }
}

#[tokio::test]
async fn a_joined_job_is_cleared_away_by_the_next_worker() {
    let (_server, broker, known, plan) = split(2).await;
    complete_all(&broker, &known, "w").await;
    let joiner = claim_in_time(&broker, &known, "joiner").await;
    let report = joined(&broker, &plan, "joiner").await;
    drop(joiner.record_completed(report).await.expect("ours"));
    assert_eq!(broker.plans().await.expect("an answer").len(), 1);
    let again = comes_again(&broker, &known).await;
    assert_eq!(again.job().id, plan.job.id);
    finish(&broker, again).await;
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_part_that_has_failed_for_good_and_no_more_fails_the_job_by_the_next_worker() {
    let (_server, broker, known, plan) = split(1).await;
    let failing = claim_in_time(&broker, &known, "a").await;
    let failure = Failure::input("no sound");
    let failed = failing
        .run()
        .fail(failure, SignedDuration::ZERO, broker.now());
    assert!(matches!(failed.state, RunState::Failed { .. }));
    write_and_die(&broker, &failed).await;
    drop(failing);
    poll::until("the job to fail", async || {
        let look = broker.poll(&known, &crate::name("b"), 9).await.ok()?;
        for (claim, ()) in look.claims {
            complete(&broker, claim, "b").await;
        }
        let run = run_of(&broker, &plan.job.id).await;
        matches!(run.state, RunState::Failed { .. }).then_some(())
    })
    .await;
    let letter = broker.dead_letter(&plan.job.id).await;
    assert!(letter.expect("an answer").is_some());
    is_queue_empty(&broker).await;
}

#[tokio::test]
async fn workers_that_are_lost_cost_chunks_and_not_the_only_attempt_at_the_job() {
    let (_server, broker, known, plan) = split_with(1, 2).await;
    for worker in ["a", "b", "c"] {
        // One part each: none of them is suspected three times.
        drop(claim_in_time(&broker, &known, worker).await);
    }
    complete_rest(&broker, &known, &plan).await;
    let parts = broker.part_runs(&plan).await.expect("an answer");
    let lost: Vec<usize> = parts.iter().map(|run| run.failures.len()).collect();
    assert_eq!(lost, [1, 1, 1]);
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_chunk_over_which_three_workers_vanish_fails_the_job_and_is_named() {
    let (_server, broker, known, plan) = split_with(9, 2).await;
    // Each of them has another part: they vanish for another reason.
    for worker in ["a", "b", "c"] {
        drop(claim_in_time(&broker, &known, worker).await);
    }
    // Two more have the chunk that one of these had.
    let suspect = part(&plan, Part::Chunk(1));
    for worker in ["d", "e"] {
        poll::until("the chunk to come again", async || {
            let claim = claim(&broker, &known, worker).await?;
            if claim.job().id == suspect {
                return Some(());
            }
            complete(&broker, claim, worker).await;
            None
        })
        .await;
    }
    let whole = poll::until("the job to fail", async || {
        let look = broker.poll(&known, &crate::name("f"), 9).await.ok()?;
        assert!(look.dead_letters.is_empty(), "parts are no dead letters");
        for (claim, ()) in look.claims {
            assert_ne!(claim.job().id, suspect, "nobody else is put at risk");
            complete(&broker, claim, "f").await;
        }
        let run = run_of(&broker, &plan.job.id).await;
        run.state.is_terminal().then_some(run)
    })
    .await;
    let RunState::Failed { failure } = whole.state else {
        panic!("{whole:#?}");
    };
    let told = &failure.message;
    assert!(told.starts_with("chunk 1: "), "{told}");
    assert!(
        told.contains("d, e failed by it or vanished over it"),
        "{told}"
    );
    assert!(told.contains("then retry it (worker e vanished"), "{told}");
}

#[tokio::test]
async fn a_forgetting_that_was_interrupted_is_done_by_the_next_one() {
    let (_server, broker, known, plan) = split(2).await;
    let one = claim_in_time(&broker, &known, "w").await;
    complete(&broker, one, "w").await;
    broker.cancel(&plan.job.id).await.expect("an answer");
    let key = subject::kv(subject::PLANS, &subject::split_state(&plan.job.id));
    let plans = broker.jetstream().get_stream("KV_plans").await.expect("it");
    plans.purge().filter(key).await.expect("removed");
    assert_eq!(broker.plan(&plan.job.id).await.expect("an answer"), None);
    let left = broker.plans().await.expect("an answer");
    assert_eq!(left.len(), 1, "the sweep finds it");
    broker.forget_split(&left[0].0).await.expect("an answer");
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_broker_that_is_restarted_has_lost_nothing() {
    let (mut server, broker, known, plan) = split(4).await;
    let one = claim_in_time(&broker, &known, "a").await;
    let two = claim_in_time(&broker, &known, "a").await;
    complete(&broker, one, "a").await;
    server.0.kill();
    server.0.restart().await;
    poll::until("the broker to answer", async || {
        broker.split_state(&plan.job.id).await.ok()
    })
    .await;
    complete(&broker, two, "a").await;
    poll::until("all parts to be made", async || {
        let look = broker.poll(&known, &crate::name("b"), 1).await.ok()?;
        for (claim, ()) in look.claims {
            if claim.job().id.is_whole() {
                claim.release().await.ok()?;
                return Some(());
            }
            complete(&broker, claim, "b").await;
        }
        None
    })
    .await;
    join(&broker, &known, &plan).await;
}

/// Removes all messages of the work queue, one by one, as nothing should.
async fn lose_messages(broker: &Broker) {
    let jobs = broker.jetstream().get_stream("JOBS").await.expect("it");
    let state = jobs.get_info().await.expect("an answer").state;
    for sequence in state.first_sequence..=state.last_sequence {
        // Most are gone.
        let _ = jobs.delete_message(sequence).await;
    }
    assert_eq!(subjects(broker, "JOBS").await, Vec::<String>::new());
}

/// Makes the parts that wait until all are done. A poll may bring none while another one waits.
async fn complete_rest(broker: &Broker, known: &Lanes, plan: &Plan) {
    poll::until("all parts to be done", async || {
        let state = broker.split_state(&plan.job.id).await.ok()?;
        if state.is_complete(plan) {
            return Some(());
        }
        if let Some(claim) = claim(broker, known, "b").await {
            complete(broker, claim, "b").await;
        }
        None
    })
    .await;
}

#[tokio::test]
async fn a_split_job_whose_messages_are_lost_goes_on() {
    let (_server, broker, known, plan) = split(4).await;
    let a = crate::name("a");
    let answering = broker.answer_for(&a, CancellationToken::new()).await;
    answering.expect("an answer");
    let mend = async || broker.mend_split(&plan).await.expect("an answer");
    assert!(!mend().await, "all parts wait");
    let one = claim_in_time(&broker, &known, "a").await;
    complete(&broker, one, "a").await;
    let two = claim_in_time(&broker, &known, "a").await;
    let three = claim_in_time(&broker, &known, "a").await;
    let failure = Failure::worker("disk full");
    let waits = three.fail(failure).await.expect("ours");
    assert!(waits.state.is_waiting());
    assert!(
        !mend().await,
        "one is done, one runs, one waits for a later time"
    );
    lose_messages(&broker).await;
    assert!(mend().await);
    assert!(!mend().await, "its owner lives, and the others wait");
    complete(&broker, two, "a").await;
    complete_rest(&broker, &known, &plan).await;
    lose_messages(&broker).await;
    assert!(mend().await, "all parts are done");
    join(&broker, &known, &plan).await;
    assert!(!mend().await, "it is completed");
}

#[tokio::test]
async fn a_part_whose_message_is_lost_with_its_owner_is_taken_over() {
    let (_server, broker, known, plan) = split(1).await;
    // Nobody answers for its worker.
    let lost = claim_in_time(&broker, &known, "a").await;
    let part = lost.job().id;
    lose_messages(&broker).await;
    drop(lost);
    let back = subject::job(&lane(5), &part);
    poll::until("the owner to be missed", async || {
        broker.mend_split(&plan).await.ok()?;
        subjects(&broker, "JOBS")
            .await
            .contains(&back)
            .then_some(())
    })
    .await;
    let again = loop {
        let claim = claim_in_time(&broker, &known, "b").await;
        if claim.job().id == part {
            break claim;
        }
        complete(&broker, claim, "b").await;
    };
    assert_eq!(again.run().attempt, 2);
    complete(&broker, again, "b").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn what_is_removed_is_not_back_after_the_broker_was_killed() {
    let (mut server, broker, known, plan) = split(4).await;
    complete_all(&broker, &known, "a").await;
    join(&broker, &known, &plan).await;
    server.0.kill();
    server.0.restart().await;
    poll::until("the broker to answer", async || broker.plans().await.ok()).await;
    is_clean(&broker, &plan).await;
}

#[tokio::test]
async fn a_part_whose_run_was_removed_is_claimed_anew() {
    let (_server, broker, known, plan) = split(2).await;
    let one = claim_in_time(&broker, &known, "a").await;
    complete(&broker, one, "a").await;
    broker.cancel(&plan.job.id).await.expect("an answer");
    broker.forget_split(&plan).await.expect("an answer");
    broker.retry(&plan.job.id).await.expect("an answer");
    let planner = claim_in_time(&broker, &known, "planner").await;
    let anew = super::plan(&broker, planner, 2).await;
    complete_all(&broker, &known, "b").await;
    join(&broker, &known, &anew).await;
}
