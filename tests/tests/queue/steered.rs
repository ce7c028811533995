//! A person changes their mind: cancel, move, try again, pause, other queues.

use std::time::Duration;

use common::broker::{
    Broker, Claimant, Decline, Ended, EnqueueResult, Lanes, Lease, Lost, SteerResult,
};
use common::farm::orders::{Controls, Order, Target};
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::id::BatchId;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use common::job::{Fallbacks, Job};
use common::names::subject;
use common::names::subject::RUNS;
use common::wire;
use futures::StreamExt;
use harness::faults::proxy::{Protocol, Proxy};
use harness::poll;
use harness::servers::broker::TestBroker;
use jiff::Timestamp;

use crate::{claim, claim_in_time, connect, job, lane, lanes, name, report, with_one_job};

fn queue(text: &str) -> Queue {
    text.parse().expect("a queue")
}

/// The lanes of the usual queue and of another one.
async fn lanes_with(broker: &Broker, known: &mut Lanes, other: &Queue) {
    broker
        .find_lanes(&[queue("libx264"), other.clone()], known)
        .await
        .expect("lanes");
}

async fn only_job(broker: &Broker) -> Job {
    let (queued, _) = broker.queued(None, 1, 10).await.expect("an answer");
    queued[0].job.clone()
}

async fn state(broker: &Broker, job: &Job) -> JobState {
    let record = broker.job(&job.id).await.expect("an answer");
    record.expect("known").state()
}

/// Everything in the work queue, whatever it waits for.
async fn messages(broker: &Broker) -> u64 {
    broker.queue_extent().await.expect("an answer").1
}

#[tokio::test]
async fn a_pending_job_is_cancelled_and_leaves_nothing() {
    let (_server, broker, known) = with_one_job().await;
    let job = only_job(&broker).await;
    let done = broker.cancel(&job.id).await.expect("an answer");
    assert!(matches!(done, SteerResult::Done(_)), "{done:?}");
    assert_eq!(messages(&broker).await, 0);
    assert!(claim(&broker, &known, "w1").await.is_none());
    assert_eq!(state(&broker, &job).await, JobState::Cancelled);
    let again = broker.cancel(&job.id).await.expect("an answer");
    assert!(matches!(again, SteerResult::TooLate(_)), "{again:?}");
    let stranger = crate::job("never enqueued").id;
    let unknown = broker.cancel(&stranger).await.expect("an answer");
    assert_eq!(unknown, SteerResult::Unknown);
}

#[tokio::test]
async fn the_owner_of_a_cancelled_job_hears_of_it_and_can_write_nothing() {
    let (_server, broker, known) = with_one_job().await;
    let owner = claim(&broker, &known, "w1").await.expect("a job");
    let lease = Lease::keep(&owner);
    broker.cancel(&owner.job().id).await.expect("an answer");
    tokio::time::timeout(Duration::from_secs(2), lease.over().cancelled())
        .await
        .expect("told at once");
    assert_eq!(lease.ended(), Some(Ended::Cancelled));
    let job = owner.job().clone();
    assert!(matches!(
        owner.complete(report("w1")).await,
        Err(Lost::Elsewhere)
    ));
    assert_eq!(state(&broker, &job).await, JobState::Cancelled);
}

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
    assert_eq!(lease.ended(), Some(Ended::Moved));
    drop(lease);
    assert!(matches!(
        owner.complete(report("w1")).await,
        Err(Lost::Elsewhere)
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

/// Writes a run as somebody would who died right afterwards.
async fn write_run(broker: &Broker, run: &Run) {
    let key = subject::kv(RUNS, &subject::run(&run.job.id));
    let stored = broker.jetstream().publish(key, wire::encode(run)).await;
    stored.expect("sent").await.expect("stored");
}

#[tokio::test]
async fn whoever_meets_a_moved_job_where_it_was_sends_it_on() {
    let (_server, broker, mut known) = with_one_job().await;
    let job = only_job(&broker).await;
    let there = Lane {
        queue: queue("on_w2"),
        ..lane(5)
    };
    // The move was decided, and then its maker died: no message was sent.
    let now = Timestamp::now();
    let moved = Run::untaken(job.clone(), &lane(5), now).move_to(&there, now);
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

async fn fail_for_good(broker: &Broker, known: &Lanes) -> Run {
    let owner = claim_in_time(broker, known, "w1").await;
    owner.fail(Failure::input("corrupt")).await.expect("ours")
}

async fn dead_letters(broker: &Broker) -> u64 {
    let stream = broker.jetstream().get_stream("DEAD").await;
    stream.expect("there").cached_info().state.messages
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_with_all_its_attempts() {
    let (_server, broker, known) = with_one_job().await;
    let failed = fail_for_good(&broker, &known).await;
    assert_eq!(dead_letters(&broker).await, 1);
    let again = broker.retry(&failed.job.id).await.expect("an answer");
    assert!(matches!(again, SteerResult::Done(_)), "{again:?}");
    assert_eq!(dead_letters(&broker).await, 0);
    assert_eq!(state(&broker, &failed.job).await, JobState::Pending);
    let once = broker.retry(&failed.job.id).await.expect("an answer");
    assert!(matches!(once, SteerResult::TooLate(_)), "{once:?}");
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!((taken.run().attempt, taken.run().spent()), (2, 1));
    assert_eq!(taken.run().failures.len(), 1, "its history is kept");
    taken.complete(report("w1")).await.expect("ours");
}

#[tokio::test]
async fn a_retry_whose_maker_died_is_taken_all_the_same_but_once() {
    let (_server, broker, known) = with_one_job().await;
    let failed = fail_for_good(&broker, &known).await;
    let key = subject::kv(RUNS, &subject::run(&failed.job.id));
    let runs = broker.jetstream().get_stream("KV_runs").await.expect("it");
    let revision = runs.get_last_raw_message_by_subject(&key).await;
    let mut headers = async_nats::HeaderMap::new();
    let revision = revision.expect("it is there").sequence;
    headers.insert("Farm-Retry-Of", revision.to_string());
    let ask = async || {
        let subject = subject::job(&lane(5), &failed.job.id);
        let payload = wire::encode(&failed.job);
        let sent = broker
            .jetstream()
            .publish_with_headers(subject, headers.clone(), payload)
            .await;
        sent.expect("sent").await.expect("stored");
    };
    ask().await;
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(taken.run().spent(), 1);
    assert_eq!(dead_letters(&broker).await, 0);
    taken.complete(report("w1")).await.expect("ours");
    ask().await;
    assert!(claim(&broker, &known, "w1").await.is_none(), "it is done");
    assert_eq!(state(&broker, &failed.job).await, JobState::Completed);
}

#[tokio::test]
async fn a_job_hops_to_its_next_queue_only_after_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestBroker::start(folder.path()).await;
    let (broker, mut known) = connect(&server).await;
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
    // It still waits in its first queue, where nobody may take it now.
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
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestBroker::start(folder.path()).await;
    let (broker, mut known) = connect(&server).await;
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

#[tokio::test]
async fn what_failed_by_a_workers_fault_is_offered_to_others_first() {
    let (_server, broker, known) = with_one_job().await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let job = first.job().clone();
    first.fail(Failure::worker("no disk")).await.expect("ours");
    poll::until("its time", async || {
        let stored = broker.job(&job.id).await.ok()??;
        let due = match stored {
            JobRecord::Run(run) => match run.state {
                RunState::Waiting { until, .. } => until < Timestamp::now(),
                _ => false,
            },
            _ => false,
        };
        due.then_some(())
    })
    .await;
    assert!(claim(&broker, &known, "w1").await.is_none());
    let second = claim_in_time(&broker, &known, "w2").await;
    assert_eq!(second.run().attempt, 2);
}

/// A worker that heard that a batch is paused.
pub(crate) struct Paused(pub(crate) WorkerName, pub(crate) BatchId);

impl Claimant for Paused {
    type Ticket = ();

    fn name(&self) -> &WorkerName {
        &self.0
    }

    fn is_open(&self, _: &Queue) -> bool {
        true
    }

    fn prefers(&self, _: &Queue) -> bool {
        false
    }

    fn admit(&self, job: &Job, _: &Lane) -> Result<(), Decline> {
        if job.batch == self.1 {
            Err(Decline::Park)
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_paused_batch_stands_aside_and_comes_back() {
    let (_server, broker, known) = with_one_job().await;
    let parked = only_job(&broker).await;
    let other = job("of another batch");
    broker
        .enqueue(&[(other.clone(), lane(5))], |_| {})
        .await
        .expect("enqueued");
    let target = Target::Batch(parked.batch);
    let order = Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    };
    broker.command(&target, Some(&order)).await.expect("given");
    assert!(broker.controls().await.expect("them").is_paused(&target));
    let worker = Paused(name("w1"), parked.batch);
    let look = broker.claim(&known, &worker, 5).await.expect("an answer");
    let ids: Vec<_> = look
        .claims
        .iter()
        .map(|(claim, ())| claim.job().id)
        .collect();
    assert_eq!(ids, [other.id]);
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);
    broker.command(&target, None).await.expect("taken back");
    let back = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(back.job().id, parked.id);
    assert!(broker.parked_jobs().await.expect("them").is_empty());
}

#[tokio::test]
async fn a_job_of_a_paused_batch_is_there_once_however_often_it_is_enqueued() {
    let (_alive, broker, mut known) = with_one_job().await;
    let (job, lane) = (job("parked"), lane(6));
    let batch = Target::Batch(job.batch);
    let order = Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    };
    broker.command(&batch, Some(&order)).await.expect("paused");
    let jobs = [(job.clone(), lane)];
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let paused = Paused(name("w"), job.batch);
    let look = broker.claim(&known, &paused, 1).await;
    let taken = look.expect("an answer").claims;
    assert!(taken.iter().all(|(claim, ())| claim.job().id != job.id));
    let record = broker.job(&job.id).await.expect("an answer");
    assert!(matches!(record, Some(JobRecord::Parked(_))), "{record:?}");

    let again = broker.enqueue(&jobs, |_| {}).await.expect("an answer");
    assert_eq!(again[0].1, EnqueueResult::AlreadyPending);
    broker.command(&batch, None).await.expect("resumed");
    let claim = claim_in_time(&broker, &known, "w").await;
    assert_eq!(claim.job().id, job.id);
}

#[tokio::test]
async fn a_job_is_not_put_aside_once_its_batch_goes_on() {
    let (_alive, broker, known) = with_one_job().await;
    let late = Paused(name("late"), only_job(&broker).await.batch);
    let look = broker.claim(&known, &late, 1).await;
    assert!(look.expect("an answer").claims.is_empty());
    assert!(broker.parked_jobs().await.expect("an answer").is_empty());
    claim_in_time(&broker, &known, "w").await;
}

#[tokio::test]
async fn whoever_hears_of_an_order_finds_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestBroker::start(folder.path()).await;
    let (broker, _) = connect(&server).await;
    let mut bell = broker.orders().await.expect("connected");
    broker.client().flush().await.expect("connected");
    let target: Target = "queue.libx264".parse().expect("a target");
    let order = Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    };
    for _ in 0..50 {
        for order in [Some(&order), None] {
            let (given, rung) = tokio::join!(broker.command(&target, order), async {
                bell.next().await.expect("it rings");
                broker.controls().await.expect("an answer")
            });
            given.expect("given");
            assert_eq!(rung.order(&target), order);
        }
    }
}

#[tokio::test]
async fn what_asked_for_a_job_again_goes_with_the_next_cancel() {
    let (_server, broker, _) = with_one_job().await;
    let job = only_job(&broker).await.id;
    for _ in 0..2 {
        broker.cancel(&job).await.expect("an answer");
        broker.retry(&job).await.expect("an answer");
    }
    broker.cancel(&job).await.expect("an answer");
    let (_, messages) = broker.queue_extent().await.expect("an answer");
    assert_eq!(messages, 0, "a message of an ended job stays");
    // What asks for it again stays until somebody has met it.
    broker.retry(&job).await.expect("an answer");
    let (_, messages) = broker.queue_extent().await.expect("an answer");
    assert_eq!(messages, 1);
}

#[tokio::test]
async fn a_resume_that_was_killed_is_finished_by_whoever_follows_orders() {
    let (server, broker, known) = with_one_job().await;
    let parked = only_job(&broker).await;
    let target = Target::Batch(parked.batch);
    let order = Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    };
    broker.command(&target, Some(&order)).await.expect("given");
    let worker = Paused(name("w1"), parked.batch);
    broker.claim(&known, &worker, 5).await.expect("an answer");
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);
    // Killed before it has brought the job back.
    let way = Proxy::start(Protocol::Nats, server.0.port());
    let (killed, _) = crate::connect_to(way.nats_url()).await;
    let mut held = way.hold(|request| request.subject.starts_with("jobs."));
    let resuming = tokio::spawn({
        let target = target.clone();
        async move { killed.command(&target, None).await }
    });
    held.caught("the job on its way back").await;
    resuming.abort();
    drop((held, way));
    assert_eq!(broker.parked_jobs().await.expect("them").len(), 1);

    let (orders, _orders) = tokio::sync::watch::channel(Controls::default());
    let follower = broker.clone();
    let following =
        tokio::spawn(async move { follower.follow_orders(orders, Duration::from_secs(1)).await });
    poll::until("the job to be back", async || {
        let parked = broker.parked_jobs().await.ok()?;
        parked.is_empty().then_some(())
    })
    .await;
    poll::until("the order to be gone", async || {
        let controls = broker.controls().await.ok()?;
        controls.order(&target).is_none().then_some(())
    })
    .await;
    following.abort();
    let back = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(back.job().id, parked.id);
}
