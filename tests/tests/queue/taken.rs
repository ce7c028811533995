//! Jobs are enqueued once, claimed by one worker at a time, and end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use common::broker::{ClaimError, Decline, EnqueueResult};
use common::job::Job;
use common::job::failure::Failure;
use common::job::run::RunState;
use common::job::state::JobState;
use common::testing;
use futures::StreamExt;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::poll;
use jiff::SignedDuration;

use crate::claimant::TestClaimant;
use crate::{claim, claim_in_time, connect_to, job, lane, lanes, report, start, with_one_job};

#[tokio::test]
async fn enqueueing_again_adds_nothing() {
    let (_server, broker, mut known) = start().await;
    let jobs: Vec<_> = (0..2500)
        .map(|n| (job(&format!("{n}.mp4")), lane(5)))
        .collect();
    let first = broker
        .enqueue(&jobs[..2000], |_| {})
        .await
        .expect("enqueued");
    assert!(
        first
            .iter()
            .all(|(_, outcome)| *outcome == EnqueueResult::Added)
    );
    // Half of the jobs are known and half are new; the request asks for another priority.
    let again: Vec<_> = jobs.iter().map(|(job, _)| (job.clone(), lane(9))).collect();
    let second = broker.enqueue(&again, |_| {}).await.expect("enqueued");
    let added = second
        .iter()
        .filter(|(_, outcome)| *outcome == EnqueueResult::Added)
        .count();
    assert_eq!(added, 500);
    // A completed job is known, and is not added.
    lanes(&broker, &mut known).await;
    let done = claim(&broker, &known, "w1").await.expect("a job");
    let id = done.job().id;
    done.complete(report("w1")).await.expect("still ours");
    let (one, _) = jobs
        .iter()
        .chain(&again)
        .find(|(job, _)| job.id == id)
        .expect("one of them");
    let third = broker
        .enqueue(&[(one.clone(), lane(5))], |_| {})
        .await
        .expect("an answer");
    assert!(
        matches!(&third[0].1, EnqueueResult::Known(run) if matches!(run.state, RunState::Completed { .. })),
        "{third:?}"
    );
}

#[tokio::test]
async fn the_most_urgent_job_goes_first_and_only_once() {
    let (_server, broker, mut known) = start().await;
    let jobs = [
        (job("low"), lane(1)),
        (job("mid"), lane(5)),
        (job("high"), lane(10)),
    ];
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let mut claims = Vec::new();
    for expected in ["high", "mid", "low"] {
        let claim = claim(&broker, &known, "w1").await.expect(expected);
        assert_eq!(claim.job().input.location.name(), expected);
        claims.push(claim);
    }
    assert!(claim(&broker, &known, "w2").await.is_none());
}

#[tokio::test]
async fn a_lost_job_is_taken_over_and_its_old_owner_can_write_nothing() {
    let (_server, broker, known) = with_one_job().await;
    let zombie = claim(&broker, &known, "w1").await.expect("a job");
    let owner = claim_in_time(&broker, &known, "w2").await;
    assert_eq!(owner.run().attempt, 2);
    assert!(matches!(
        zombie.clone().complete(report("w1")).await,
        Err(ClaimError::Elsewhere)
    ));
    assert!(matches!(
        zombie.clone().fail(Failure::worker("x")).await,
        Err(ClaimError::Elsewhere)
    ));
    assert!(matches!(zombie.release().await, Err(ClaimError::Elsewhere)));
    owner.complete(report("w2")).await.expect("ours");
    assert!(claim(&broker, &known, "w3").await.is_none());
}

#[tokio::test]
async fn a_job_that_loses_all_its_workers_ends_as_a_dead_letter() {
    let (_server, broker, mut known) = start().await;
    let poison = job("poison");
    let id = poison.id;
    broker
        .enqueue(&[(poison, lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;
    for attempt in 1..=Job::ATTEMPTS {
        let claim = claim_in_time(&broker, &known, "w1").await;
        assert_eq!((claim.job().id, claim.run().attempt), (id, attempt));
        // The worker dies: no sign of life ever comes.
    }
    broker
        .enqueue(&[(job("good"), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let good = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(good.job().input.location.name(), "good");
    let _lease = common::broker::Lease::keep(&good);
    poll::until("the job to fail for good", async || {
        assert!(claim(&broker, &known, "w2").await.is_none());
        let record = broker.job(&id).await.expect("an answer").expect("known");
        (record.state() == JobState::Failed).then_some(())
    })
    .await;
    let mut dead = broker
        .jetstream()
        .get_stream("DEAD")
        .await
        .expect("the stream");
    assert_eq!(dead.info().await.expect("its state").state.messages, 1);
}

#[tokio::test]
async fn a_released_job_starts_at_once_and_uses_up_no_attempt() {
    let (_server, broker, known) = with_one_job().await;
    for _ in 0..5 {
        let claim = claim_in_time(&broker, &known, "w1").await;
        claim.release().await.expect("ours");
    }
    let last = claim_in_time(&broker, &known, "w2").await;
    assert_eq!((last.run().attempt, last.run().spent()), (6, 1));
}

#[tokio::test]
async fn a_failed_attempt_waits_and_comes_back_by_itself() {
    let (_server, broker, known) = with_one_job().await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let run = first
        .fail(Failure::passing("no network"))
        .await
        .expect("ours");
    assert!(matches!(run.state, RunState::Waiting { .. }), "{run:?}");
    let second = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(second.run().attempt, 2);
    assert!(
        second.run().failures[0]
            .failure
            .message
            .contains("no network")
    );
    // A fault of the input gets no further attempt.
    let run = second.fail(Failure::input("corrupt")).await.expect("ours");
    assert!(matches!(run.state, RunState::Failed { .. }), "{run:?}");
    // A completion does not wait until its event is stored.
    let events = poll::until("the end in the history", async || {
        let events = broker.events(&run.job.id).await.expect("history");
        let last = events.last()?.what.kind();
        (last == "failed").then_some(events)
    })
    .await;
    let kinds: Vec<_> = events.iter().map(|event| event.what.kind()).collect();
    assert_eq!(kinds, ["queued", "claimed", "retried", "claimed", "failed"]);
}

#[tokio::test]
async fn a_lease_outlives_the_ack_wait_while_it_is_kept() {
    let (_server, broker, known) = with_one_job().await;
    let kept = claim(&broker, &known, "w1").await.expect("a job");
    let lease = common::broker::Lease::keep(&kept);
    let until = tokio::time::Instant::now() + Duration::from_secs(3);
    while tokio::time::Instant::now() < until {
        assert!(
            claim(&broker, &known, "w2").await.is_none(),
            "taken although alive"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(lease.ended().is_none());
    drop(lease);
    claim_in_time(&broker, &known, "w2").await;
}

#[tokio::test]
async fn a_restarted_broker_hears_of_live_workers_again() {
    let (mut server, broker, _) = start().await;
    let heartbeat = testing::heartbeat("w1", &[]);
    broker.heartbeat(&heartbeat).await.expect("told");
    server.0.kill();
    server.0.restart().await;
    poll::until("the broker to take a heartbeat", async || {
        broker.heartbeat(&heartbeat).await.ok()
    })
    .await;
    let names: Vec<_> = broker.workers().await.expect("an answer");
    assert_eq!(names, [heartbeat]);
}

#[tokio::test]
async fn a_retry_survives_a_replica_that_lags_behind() {
    let (server, broker, known) = with_one_job().await;
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let direct = format!("$JS.API.DIRECT.GET.KV_runs.$KV.runs.{}.all", first.job().id);
    let client = broker.client().clone();
    let old = client
        .request(direct.clone(), "".into())
        .await
        .expect("the run as it is now");
    first
        .fail(Failure::passing("no network"))
        .await
        .expect("ours");
    let declining = TestClaimant::new("w0", |_| {
        Some(Decline::Leave(SignedDuration::from_millis(100)))
    });
    // A worker declines the retry, so the next worker that gets it reads the run first.
    poll::until("the retry to be declined", async || {
        let left = broker.poll(&known, &declining, 1).await.ok()?;
        assert!(left.claims.is_empty());
        let consumer = broker.jetstream().get_stream("JOBS").await.ok()?;
        let info = consumer.consumer_info(lane(5).consumer()).await.ok()?;
        (info.num_redelivered > 0 || info.num_ack_pending > 0).then_some(())
    })
    .await;

    // One replica has not got the failure yet, and answers the next request.
    let mut questions = client.subscribe("replica").await.expect("connected");
    let asked = AtomicBool::new(false);
    proxy.judge(move |request| {
        if request.subject == direct && !asked.swap(true, Ordering::Relaxed) {
            Fate::Rerouted("replica")
        } else {
            Fate::Passed
        }
    });
    let answering = tokio::spawn(async move {
        let question = questions.next().await.expect("a question");
        let inbox = question.reply.expect("it wants an answer");
        let headers = old.headers.expect("what it is, and of when");
        client
            .publish_with_headers(inbox, headers, old.payload)
            .await
            .expect("connected");
    });
    let second = claim_in_time(&far, &known, "w2").await;
    assert_eq!(second.run().attempt, 2);
    answering.await.expect("the replica was asked");
}

#[tokio::test]
async fn a_lane_that_lost_a_job_is_made_again() {
    let (_server, broker, mut known) = start().await;
    // A lane that delivers each message once and then no longer counts it, like a consumer that lost its state.
    let stream = broker.jetstream().get_stream("JOBS").await.expect("it");
    let forgetful = pull::Config {
        durable_name: Some(lane(5).consumer()),
        filter_subject: "jobs.libx264.5.*.*".to_owned(),
        ack_wait: Duration::from_secs(1),
        max_deliver: 1,
        ..Default::default()
    };
    stream.create_consumer(forgetful).await.expect("a consumer");
    broker.add_lane(&mut known, lane(5)).await.expect("known");
    broker
        .enqueue(&[(job("a"), lane(5))], |_| {})
        .await
        .expect("enqueued");
    // The worker dies.
    drop(claim(&broker, &known, "w1").await.expect("a job"));
    poll::until("the lane to forget it", async || {
        let info = stream.consumer_info(lane(5).consumer()).await.ok()?;
        (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
    })
    .await;
    assert!(claim(&broker, &known, "w2").await.is_none());

    broker
        .recreate_stuck_consumers(&known)
        .await
        .expect("an answer");
    let second = claim_in_time(&broker, &known, "w2").await;
    assert_eq!(second.run().attempt, 2);
    // A message that a worker holds does not count as forgotten, however old it is.
    broker
        .recreate_stuck_consumers(&known)
        .await
        .expect("an answer");
    let info = stream.consumer_info(lane(5).consumer()).await;
    assert_eq!(info.expect("the lane").num_ack_pending, 1);
    second.complete(report("w2")).await.expect("still its own");
}
