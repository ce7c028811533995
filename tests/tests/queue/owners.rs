//! Who owns a job. A redelivered message does not prove that the owner is gone.

use std::time::Duration;

use common::broker::{Broker, Lanes, Lease, LeaseEnd};
use common::job::Job;
use common::job::run::RunState;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::poll;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    claim, claim_in_time, connect, connect_to, job, lane, lanes, name, report, start, with_one_job,
};

/// Answers as the worker program does, until the test ends.
async fn answer_for(broker: &Broker, worker: &str) {
    let stop = CancellationToken::new();
    let answering = broker.answer_for(&name(worker), stop).await;
    answering.expect("connected");
}

/// A worker is frozen between the fetch of a message and its claim. Meanwhile another worker gets the message, and runs
/// the job when the first worker continues.
async fn overtaken_with(attempts: u32) {
    let (server, broker, mut known) = start().await;
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    answer_for(&broker, "live").await;
    answer_for(&far, "frozen").await;
    let job = Job {
        attempts,
        ..job("a")
    };
    broker
        .enqueue(&[(job.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;

    let key = format!("$KV.runs.{}.all", job.id);
    let mut claiming = proxy.hold(move |request| request.subject == key);
    let mut its = Lanes::default();
    lanes(&far, &mut its).await;
    let frozen = tokio::spawn({
        let far = far.clone();
        async move { claim(&far, &its, "frozen").await }
    });
    claiming.caught("the claim").await;
    let live = claim_in_time(&broker, &known, "live").await;
    let lease = Lease::keep(&live);
    claiming.release();
    let taken = frozen.await.expect("it looked");
    assert!(
        taken.is_none(),
        "taken from its live owner: {:#?}",
        taken.map(|claim| claim.run().clone())
    );

    // The owner goes on undisturbed for some leases.
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        assert!(claim(&far, &known, "frozen").await.is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(lease.ended().is_none());
    let done = live.complete(report("live")).await.expect("still its own");
    assert_eq!((done.attempt, done.failures.len()), (1, 0), "{done:#?}");
    assert!(matches!(done.state, RunState::Completed { .. }));
    let letter = broker.dead_letter(&job.id).await.expect("an answer");
    assert!(letter.is_none(), "{letter:#?}");
}

#[tokio::test]
async fn a_worker_that_was_frozen_before_its_claim_takes_nothing_from_the_owner() {
    overtaken_with(3).await;
}

#[tokio::test]
async fn a_worker_that_was_frozen_before_its_claim_fails_no_job() {
    overtaken_with(1).await;
}

#[tokio::test]
async fn a_claim_outlives_the_broker_that_had_not_written_it_down() {
    let (mut server, broker, known) = with_one_job().await;
    answer_for(&broker, "w1").await;
    let (other, _) = connect(&server.0).await;
    let more: Vec<_> = (0..8).map(|n| (job(&n.to_string()), lane(5))).collect();
    broker.enqueue(&more, |_| {}).await.expect("enqueued");
    let look = broker.poll(&known, &name("w1"), 9).await.expect("jobs");
    let owned: Vec<_> = look.claims.into_iter().map(|(claim, ())| claim).collect();
    assert_eq!(owned.len(), 9);
    let leases: Vec<_> = owned.iter().map(Lease::keep).collect();
    server.0.kill();
    server.0.restart().await;
    let until = Instant::now() + Duration::from_secs(6);
    while Instant::now() < until {
        let look = other.poll(&known, &name("w2"), 1).await;
        let taken = look.map(|look| look.claims.len()).unwrap_or_default();
        assert_eq!(taken, 0, "taken from its live owner");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(leases.iter().all(|lease| lease.ended().is_none()));
    for claim in owned {
        let done = claim.complete(report("w1")).await.expect("still its own");
        assert_eq!((done.attempt, done.failures.len()), (1, 0), "{done:#?}");
    }
}

#[tokio::test]
async fn a_job_is_not_stranded_by_a_broker_that_lost_its_delivery_count() {
    let (mut server, broker, known) = with_one_job().await;
    let (other, _) = connect(&server.0).await;
    let lost = claim(&broker, &known, "w1").await.expect("a job");
    drop(lost);
    server.0.kill();
    server.0.restart().await;
    let found = poll::until("the job to be taken by another", async || {
        let look = other.poll(&known, &name("w2"), 1).await.ok()?;
        look.claims.into_iter().next()
    })
    .await;
    let (found, ()) = found;
    assert_eq!(found.run().attempt, 2);
}

#[tokio::test]
async fn an_owner_learns_soon_that_its_job_has_failed() {
    let (server, broker, mut known) = start().await;
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    let last = Job {
        attempts: 1,
        ..job("a")
    };
    broker
        .enqueue(&[(last, lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;
    let owned = claim_in_time(&far, &known, "w1").await;
    // None of the owner's messages reaches the broker, and all of the broker's messages reach the owner.
    proxy.judge(|request| match request.subject.starts_with("$JS.ACK.") {
        true => Fate::Lost,
        false => Fate::Passed,
    });
    let lease = Lease::keep(&owned);
    poll::until("the job to be buried", async || {
        let look = broker.poll(&known, &name("w2"), 1).await.ok()?;
        assert!(look.claims.is_empty(), "it has no attempt left");
        (!look.dead_letters.is_empty()).then_some(())
    })
    .await;
    tokio::time::timeout(Duration::from_secs(5), lease.over().cancelled())
        .await
        .expect("its owner hears of it");
    assert_eq!(lease.ended(), Some(LeaseEnd::TakenOver));
}

#[tokio::test]
async fn a_job_that_no_worker_could_ever_take_is_set_aside() {
    let ((_server, _folder), broker, known) = with_one_job().await;
    let mut job = serde_json::to_value(job("nobody's")).expect("JSON");
    job["recipe"]["video"]["encode"]["with"] = serde_json::json!({"first_of": []});
    let id = job["id"].as_str().expect("an id").to_owned();
    let message = serde_json::json!({"v": 1, "body": job}).to_string();
    broker
        .jetstream()
        .publish(format!("jobs.libx264.9.{id}.all"), message.into())
        .await
        .expect("connected")
        .await
        .expect("stored");
    let mut all = Lanes::default();
    broker.add_lane(&mut all, lane(9)).await.expect("a lane");
    let none = broker.poll(&all, &name("w1"), 1).await.expect("an answer");
    assert!(none.claims.is_empty());
    let good = claim(&broker, &known, "w1").await.expect("the good one");
    good.complete(report("w1")).await.expect("its own");
    let mut dead = broker.jetstream().get_stream("DEAD").await.expect("it");
    assert_eq!(dead.info().await.expect("its state").state.messages, 1);
    let (_, left) = broker.queue_extent().await.expect("an answer");
    assert_eq!(left, 0, "it is still in the queue");
}

/// A write of the owner is cancelled on its way, and arrives all the same.
#[tokio::test]
async fn a_write_that_was_not_awaited_costs_its_owner_nothing() {
    let (server, broker, mut known) = start().await;
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    let job = job("a");
    broker
        .enqueue(&[(job.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;
    let mut its = Lanes::default();
    lanes(&far, &mut its).await;
    let mut owner = claim_in_time(&far, &its, "owner").await;

    let before = owner.run().changed;
    let key = format!("$KV.runs.{}.all", job.id);
    let mut renewing = proxy.hold(move |request| request.subject == key);
    tokio::select! {
        renewed = owner.renew_fence() => panic!("written although it is held: {renewed:?}"),
        () = renewing.caught("the renewal") => {}
    }
    renewing.release();
    poll::until("the renewal to come through", async || {
        let runs = broker.runs().await.expect("an answer");
        runs.iter().any(|run| run.changed > before).then_some(())
    })
    .await;
    let done = owner
        .complete(report("owner"))
        .await
        .expect("still its own");
    assert_eq!((done.attempt, done.failures.len()), (1, 0), "{done:#?}");
    assert!(matches!(done.state, RunState::Completed { .. }));
}
