//! A poll of the lanes is a bounded step, however many jobs are declined in it. The lease of a lane does not change.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use common::broker::{Broker, Decline, Lanes};
use common::farm::queue::Lane;
use harness::faults::proxy::{Fate, NetworkConditions, Protocol, Proxy};
use harness::poll;
use harness::servers::broker::TestBroker;
use jiff::SignedDuration;

use crate::claimant::TestClaimant;
use crate::{claim_in_time, connect_to, job, lane, lanes, report, start};

/// A network to a broker in another country.
const FAR: NetworkConditions = NetworkConditions {
    latency: Duration::from_millis(20),
    ..NetworkConditions::GOOD
};

/// Enqueues jobs that a [`TestClaimant`] declines.
async fn enqueue_unwanted(broker: &Broker, many: usize) {
    let jobs: Vec<_> = (0..many)
        .map(|n| (job(&format!("large-{n}")), lane(5)))
        .collect();
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
}

/// A lane of the same priority as `lane(5)`.
fn beside() -> Lane {
    Lane {
        queue: "libx265".parse().expect("a queue"),
        ..lane(5)
    }
}

/// The jobs that one poll of a worker with this many slots finds, as the names of their inputs.
async fn look(broker: &Broker, known: &Lanes, worker: &TestClaimant, slots: usize) -> Vec<String> {
    let look = broker.poll(known, worker, slots).await.expect("an answer");
    let claims = look.claims.into_iter();
    claims
        .map(|(claim, ())| claim.job().input.location.name().to_owned())
        .collect()
}

#[tokio::test]
async fn bounded_polls_reach_a_good_job_behind_many_declined_jobs() {
    let (server, broker, _) = start().await;
    enqueue_unwanted(&broker, 2000).await;
    let good = (job("good"), lane(5));
    broker.enqueue(&[good], |_| {}).await.expect("enqueued");
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, mut known) = connect_to(proxy.nats_url()).await;
    lanes(&far, &mut known).await;
    proxy.set(FAR);
    // Declined jobs come back before new ones, and sooner than the worker could decline all of them one by one.
    let picky = TestClaimant::without("large", Decline::Leave(SignedDuration::from_secs(5)));
    let mut longest = Duration::ZERO;
    let found = poll::until_within(Duration::from_secs(30), "the good job", async || {
        let began = Instant::now();
        let found = look(&far, &known, &picky, 2).await;
        longest = longest.max(began.elapsed());
        found.into_iter().next()
    })
    .await;
    assert_eq!(found, "good");
    assert!(longest < Duration::from_secs(4), "a look took {longest:?}");
    assert!(picky.asked() > 2000);
}

#[tokio::test]
async fn a_lane_of_declined_jobs_does_not_hide_another_lane() {
    let (_server, broker, mut known) = start().await;
    enqueue_unwanted(&broker, 500).await;
    let good: Vec<_> = ["a", "b"].map(|name| (job(name), beside())).into();
    broker.enqueue(&good, |_| {}).await.expect("enqueued");
    for lane in [lane(5), beside()] {
        broker.add_lane(&mut known, lane).await.expect("known");
    }
    let picky = TestClaimant::without("large", Decline::Leave(SignedDuration::from_millis(1)));
    assert_eq!(look(&broker, &known, &picky, 2).await, ["a", "b"]);
    // Declined jobs come back at once, every time; the poll ends all the same.
    let began = Instant::now();
    assert!(look(&broker, &known, &picky, 2).await.is_empty());
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_lane_declined_as_full_is_left_after_one_job() {
    let (_server, broker, mut known) = start().await;
    enqueue_unwanted(&broker, 100).await;
    let low = [(job("low"), lane(1))];
    broker.enqueue(&low, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let picky = TestClaimant::without("large", Decline::Full(SignedDuration::from_secs(60)));
    assert_eq!(look(&broker, &known, &picky, 4).await, ["low"]);
    assert_eq!(picky.asked(), 2, "one of each lane");
}

#[tokio::test]
async fn jobs_fetched_beyond_need_are_available_to_other_workers_at_once() {
    let (_server, broker, mut known) = start().await;
    enqueue_unwanted(&broker, 100).await;
    let good: Vec<_> = (0..100)
        .map(|n| (job(&format!("good-{n}")), lane(5)))
        .collect();
    broker.enqueue(&good, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let picky = TestClaimant::without("large", Decline::Leave(SignedDuration::from_secs(60)));
    assert_eq!(look(&broker, &known, &picky, 1).await, ["good-0"]);
    let mut others = BTreeSet::new();
    for _ in 1..100 {
        let next = claim_in_time(&broker, &known, "w1").await;
        others.insert(next.job().id);
        next.complete(report("w1")).await.expect("ours");
    }
    assert_eq!(others.len(), 99);
}

#[tokio::test]
async fn a_declined_job_is_available_to_other_workers_at_once() {
    let (_server, broker, mut known) = start().await;
    enqueue_unwanted(&broker, 50).await;
    lanes(&broker, &mut known).await;
    let mut its = Lanes::default();
    lanes(&broker, &mut its).await;
    let picky = TestClaimant::without("large", Decline::Leave(SignedDuration::from_secs(60)));
    assert!(look(&broker, &its, &picky, 2).await.is_empty());
    assert_eq!(picky.asked(), 50);
    let other = TestClaimant::without("none", Decline::Park);
    let mut taken = Vec::new();
    poll::until_within(Duration::from_secs(10), "all of them", async || {
        taken.extend(look(&broker, &known, &other, 50).await);
        (taken.len() == 50).then_some(())
    })
    .await;

    // The worker leaves the lane to others until a new job is enqueued.
    enqueue_unwanted(&broker, 51).await;
    assert!(look(&broker, &its, &picky, 2).await.is_empty());
    assert_eq!(picky.asked(), 0);
    its.end_rest(&lane(5));
    assert!(look(&broker, &its, &picky, 2).await.is_empty());
    assert!(picky.asked() > 0);
}

#[tokio::test]
async fn a_lane_keeps_its_lease_although_another_program_asks_for_another() {
    const LEASE: Duration = Duration::from_secs(120);
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestBroker::start(folder.path()).await;
    let mut options = common::broker::ConnectOptions::new(server.url(), "test");
    options.ack_wait = LEASE;
    let patient = Broker::set_up(&options).await.expect("a broker");
    let first = [(job("a"), lane(5))];
    patient.enqueue(&first, |_| {}).await.expect("enqueued");

    // Another program, with a lease of its own, asks while the broker's answers about lanes are lost.
    let proxy = Proxy::start(Protocol::Nats, server.port());
    let (other, _) = connect_to(proxy.nats_url()).await;
    let blind = |request: &harness::faults::proxy::Request| {
        if request.subject.starts_with("$JS.API.CONSUMER.INFO.") {
            Fate::Lost
        } else {
            Fate::Passed
        }
    };
    proxy.judge(blind);
    let second = [(job("b"), lane(5))];
    assert!(other.enqueue(&second, |_| {}).await.is_err());
    let stream = patient.jetstream().get_stream("JOBS").await.expect("it");
    let info = stream.consumer_info(lane(5).consumer()).await;
    assert_eq!(info.expect("the lane").config.ack_wait, LEASE);

    // If two programs find no lane, they make one lane with one lease.
    proxy.judge(|_| Fate::Passed);
    let (mine, yours) = ([(job("c"), lane(6))], [(job("d"), lane(6))]);
    let (mine, yours) = tokio::join!(
        patient.enqueue(&mine, |_| {}),
        other.enqueue(&yours, |_| {})
    );
    mine.and(yours).expect("both are enqueued");
}
