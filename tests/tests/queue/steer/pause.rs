//! Paused batches, and notices of orders.

use std::time::Duration;

use common::broker::EnqueueResult;
use common::farm::orders::{Orders, Target};
use common::job::record::JobRecord;
use futures::StreamExt;
use harness::faults::proxy::{Protocol, Proxy};
use harness::poll;

use super::only_job;
use crate::claimant::TestClaimant;
use crate::{claim_in_time, connect_to, job, lane, lanes, paused, start, with_one_job};

#[tokio::test]
async fn a_paused_batch_is_parked_and_comes_back() {
    let (_server, broker, known) = with_one_job().await;
    let parked = only_job(&broker).await;
    let other = job("of another batch");
    broker
        .enqueue(&[(other.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let target = Target::Batch(parked.batch);
    let order = paused();
    broker
        .give_order(&target, Some(&order))
        .await
        .expect("given");
    assert!(broker.orders().await.expect("them").is_paused(&target));
    let worker = TestClaimant::pausing("w1", parked.batch);
    let look = broker.poll(&known, &worker, 5).await.expect("an answer");
    let ids: Vec<_> = look
        .claims
        .iter()
        .map(|(claim, ())| claim.job().id)
        .collect();
    assert_eq!(ids, [other.id]);
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);
    broker.give_order(&target, None).await.expect("taken back");
    let back = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(back.job().id, parked.id);
    assert!(broker.parked_jobs().await.expect("them").is_empty());
}

#[tokio::test]
async fn a_job_of_a_paused_batch_is_stored_once_although_it_is_enqueued_again() {
    let (_alive, broker, mut known) = with_one_job().await;
    let (job, lane) = (job("parked"), lane(6));
    let batch = Target::Batch(job.batch);
    let order = paused();
    broker
        .give_order(&batch, Some(&order))
        .await
        .expect("paused");
    let jobs = [(job.clone(), lane)];
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let paused = TestClaimant::pausing("w", job.batch);
    let look = broker.poll(&known, &paused, 1).await;
    let taken = look.expect("an answer").claims;
    assert!(taken.iter().all(|(claim, ())| claim.job().id != job.id));
    let record = broker.job(&job.id).await.expect("an answer");
    assert!(matches!(record, Some(JobRecord::Parked(_))), "{record:?}");

    let again = broker.enqueue(&jobs, |_| {}).await.expect("an answer");
    assert_eq!(again[0].1, EnqueueResult::AlreadyPending);
    broker.give_order(&batch, None).await.expect("resumed");
    let claim = claim_in_time(&broker, &known, "w").await;
    assert_eq!(claim.job().id, job.id);
}

#[tokio::test]
async fn a_job_is_not_parked_after_its_batch_was_resumed() {
    let (_alive, broker, known) = with_one_job().await;
    let late = TestClaimant::pausing("late", only_job(&broker).await.batch);
    let look = broker.poll(&known, &late, 1).await;
    assert!(look.expect("an answer").claims.is_empty());
    assert!(broker.parked_jobs().await.expect("an answer").is_empty());
    claim_in_time(&broker, &known, "w").await;
}

#[tokio::test]
async fn an_order_is_stored_before_its_notice_arrives() {
    let (_server, broker, _) = start().await;
    let mut notice = broker.order_notices().await.expect("connected");
    broker.client().flush().await.expect("connected");
    let target: Target = "queue.libx264".parse().expect("a target");
    let order = paused();
    for _ in 0..50 {
        for order in [Some(&order), None] {
            let (given, heard) = tokio::join!(broker.give_order(&target, order), async {
                notice.next().await.expect("it rings");
                broker.orders().await.expect("an answer")
            });
            given.expect("given");
            assert_eq!(heard.order(&target), order);
        }
    }
}

#[tokio::test]
async fn a_resume_whose_program_was_killed_is_finished_by_a_follower_of_orders() {
    let (server, broker, known) = with_one_job().await;
    let parked = only_job(&broker).await;
    let target = Target::Batch(parked.batch);
    let order = paused();
    broker
        .give_order(&target, Some(&order))
        .await
        .expect("given");
    let worker = TestClaimant::pausing("w1", parked.batch);
    broker.poll(&known, &worker, 5).await.expect("an answer");
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);
    // Killed before the job is back.
    let way = Proxy::start(Protocol::Nats, server.0.port());
    let (killed, _) = connect_to(way.nats_url()).await;
    let mut held = way.hold(|request| request.subject.starts_with("jobs."));
    let resuming = tokio::spawn({
        let target = target.clone();
        async move { killed.give_order(&target, None).await }
    });
    held.caught("the job on its way back").await;
    resuming.abort();
    drop((held, way));
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);

    let (orders, _orders) = tokio::sync::watch::channel(Orders::default());
    let follower = broker.clone();
    let following =
        tokio::spawn(async move { follower.follow_orders(orders, Duration::from_secs(1)).await });
    poll::until("the job to be back", async || {
        let parked = broker.parked_jobs().await.ok()?;
        parked.is_empty().then_some(())
    })
    .await;
    poll::until("the order to be gone", async || {
        let controls = broker.orders().await.ok()?;
        controls.order(&target).is_none().then_some(())
    })
    .await;
    following.abort();
    let back = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(back.job().id, parked.id);
}
