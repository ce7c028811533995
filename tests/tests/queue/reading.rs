//! Many jobs are read page by page: each once, in its present state, and in few requests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::farm::orders::Target;
use common::job::id::JobId;
use common::job::state::JobState;
use harness::faults::proxy::{NetworkConditions, Protocol, Proxy};

use crate::claimant::TestClaimant;
use crate::{claim_in_time, connect_to, job, lane, lanes, paused, report, start};

#[tokio::test]
async fn a_job_read_with_others_is_the_same_as_a_job_read_alone() {
    let (_server, broker, mut known) = start().await;
    let jobs = ["done", "parked", "running", "pending"].map(job);
    let [done, parked, running, pending] = &jobs;
    let take = async |job, known: &_| {
        let claim = claim_in_time(&broker, known, "w1").await;
        assert_eq!(claim.job().id, job);
        claim
    };
    broker
        .enqueue(&[(done.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;
    let claim_of_done = take(done.id, &known).await;
    claim_of_done.complete(report("w1")).await.expect("ours");

    let batch = Target::Batch(parked.batch);
    broker
        .give_order(&batch, Some(&paused()))
        .await
        .expect("paused");
    broker
        .enqueue(&[(parked.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let worker = TestClaimant::pausing("w1", parked.batch);
    let polled = broker.poll(&known, &worker, 1).await.expect("an answer");
    assert!(polled.claims.is_empty());
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);
    broker
        .enqueue(&[(running.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let _held = take(running.id, &known).await;
    broker
        .enqueue(&[(pending.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");

    let ids: Vec<JobId> = jobs
        .iter()
        .map(|job| job.id)
        .chain([job("unknown").id])
        .collect();
    let together = broker.jobs_of(&ids).await.expect("an answer");
    let mut states = BTreeMap::new();
    for id in &ids {
        let alone = broker.job(id).await.expect("an answer");
        assert_eq!(together.get(id), alone.as_ref());
        states.extend(alone.map(|record| (record.job().input.location.name(), record.state())));
    }
    let picked = broker.pick_jobs(true, |record| {
        Some((record.job().input.location.name(), record.state()))
    });
    let picked: BTreeMap<_, _> = picked.await.expect("a listing").into_iter().collect();
    assert_eq!(picked, states);
    assert_eq!(picked.len(), jobs.len());
    let is_open = |state: JobState| !state.has_ended();
    let open = broker.pick_jobs(true, |record| is_open(record.state()).then_some(()));
    assert_eq!(open.await.expect("a listing").len(), 3);
}

#[tokio::test]
async fn a_thousand_jobs_of_a_far_broker_are_known_in_a_few_requests() {
    let (server, broker, _) = start().await;
    let jobs: Vec<_> = (0..1000).map(|n| (job(&format!("{n}")), lane(5))).collect();
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    proxy.set(NetworkConditions {
        latency: Duration::from_millis(50),
        ..NetworkConditions::GOOD
    });
    let begun = Instant::now();
    let ids: Vec<JobId> = jobs.iter().map(|(job, _)| job.id).collect();
    let found = far.jobs_of(&ids).await.expect("an answer");
    assert_eq!(found.len(), jobs.len());
    // One by one, they would take at least 100 s.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}
