//! A record that cannot be read affects its own job only.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::broker::{Broker, SteerResult};
use common::farm::orders::Target;
use common::job::Job;
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::job::state::JobState;
use common::names::subject;
use common::names::subject::RUNS;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::poll;

use crate::claimant::TestClaimant;
use crate::{
    ask_again, claim, claim_in_time, connect_to, job, lane, lanes, paused, report, revision, start,
    with_one_job,
};

const BROKEN: &str = r#"{"v":1,"body":{}}"#;

const NEWER: &str = r#"{"v":99,"body":{}}"#;

/// Replaces the run of a job by another content.
async fn spoil(broker: &Broker, job: &JobId, run: &'static str) {
    let key = subject::kv(RUNS, &subject::run(job));
    let stored = broker.jetstream().publish(key, run.into()).await;
    stored.expect("sent").await.expect("stored");
}

async fn messages(broker: &Broker, stream: &str) -> u64 {
    let stream = broker.jetstream().get_stream(stream).await;
    stream.expect("the stream").cached_info().state.messages
}

#[tokio::test]
async fn a_hundred_broken_runs_starve_no_good_job() {
    const MANY: usize = 120;
    let (_server, broker, mut known) = start().await;
    let bad: Vec<_> = (0..MANY)
        .map(|n| (job(&format!("bad-{n}")), lane(10)))
        .collect();
    broker.enqueue(&bad, |_| {}).await.expect("enqueued");
    for (job, _) in &bad {
        spoil(&broker, &job.id, BROKEN).await;
    }
    let newer = (job("newer"), lane(10));
    let good = (job("good"), lane(5));
    let both = [newer.clone(), good.clone()];
    broker.enqueue(&both, |_| {}).await.expect("enqueued");
    spoil(&broker, &newer.0.id, NEWER).await;
    lanes(&broker, &mut known).await;

    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(taken.job().id, good.0.id);
    taken.complete(report("w1")).await.expect("ours");
    poll::until("all broken ones to be dead letters", async || {
        assert!(claim(&broker, &known, "w1").await.is_none());
        // Each is kept as a dead letter before its message goes. The job with the newer run waits for a worker that can
        // read the run.
        let left = (
            messages(&broker, "DEAD").await,
            messages(&broker, "JOBS").await,
        );
        (left == (MANY as u64, 1)).then_some(())
    })
    .await;
    let jobs = broker.jobs(true).await.expect("a listing");
    let is_done = |record: &JobRecord| record.job().id == good.0.id && record.has_ended();
    assert!(jobs.iter().any(is_done));
    let unreadable = broker.unreadable();
    assert_eq!(unreadable.len(), MANY + 1);
    assert_eq!(unreadable.iter().filter(|thing| thing.newer).count(), 1);
    let letter = broker.dead_letter(&bad[0].0.id).await.expect("an answer");
    let letter = letter.expect("a dead letter");
    assert_eq!(letter.job, bad[0].0);
    assert!(
        matches!(&letter.state, RunState::Failed { failure } if failure.message.contains("cannot be read"))
    );
    // A person who enqueues the job again gets an error for it, and all other jobs are enqueued.
    let again = [bad[1].clone(), (job("another"), lane(5))];
    let outcomes = broker.enqueue(&again, |_| {}).await.expect("enqueued");
    assert_eq!(outcomes[1].1, common::broker::EnqueueResult::Added);
    assert!(
        matches!(&outcomes[0].1, common::broker::EnqueueResult::Known(run) if run.state.is_terminal())
    );
}

#[tokio::test]
async fn a_job_whose_run_is_broken_starts_anew_after_a_retry() {
    let (_server, broker, known) = with_one_job().await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let id = first.job().id;
    spoil(&broker, &id, BROKEN).await;
    drop(first);
    let refused = broker.cancel(&id).await.expect_err("it cannot be decided");
    assert!(refused.to_string().contains("producer retry"), "{refused}");
    poll::until("it to be a dead letter", async || {
        assert!(claim(&broker, &known, "w1").await.is_none());
        (messages(&broker, "DEAD").await == 1).then_some(())
    })
    .await;
    let record = broker.job(&id).await.expect("an answer").expect("known");
    assert_eq!(record.state(), JobState::Failed, "a person can name it");
    let retried = broker.retry(&id).await.expect("an answer");
    assert!(matches!(retried, SteerResult::Done(_)), "{retried:?}");
    assert_eq!(messages(&broker, "DEAD").await, 0);
    assert!(broker.unreadable().is_empty(), "it is good again");
    let second = claim_in_time(&broker, &known, "w2").await;
    assert_eq!(second.job().id, id);
    second.complete(report("w2")).await.expect("ours");
    // A job that is stored nowhere else cannot be started anew, and the person is told what to do.
    spoil(&broker, &id, BROKEN).await;
    let refused = broker.retry(&id).await.expect_err("nothing is known of it");
    assert!(refused.to_string().contains("--again"), "{refused}");
}

#[tokio::test]
async fn a_retry_that_is_parked_with_its_batch_is_still_a_retry_afterwards() {
    let (_server, broker, known) = with_one_job().await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let failure = common::job::failure::Failure::input("corrupt");
    let failed = first.fail(failure).await.expect("ours");
    let job: &Job = &failed.job;
    // A person requested a retry, and the program died before the run was written.
    let of = revision(&broker, &job.id).await;
    ask_again(&broker, job, of).await;
    let batch = Target::Batch(job.batch);
    let order = paused();
    broker
        .give_order(&batch, Some(&order))
        .await
        .expect("given");
    let paused = TestClaimant::pausing("w1", job.batch);
    poll::until("it to be put aside", async || {
        let look = broker.poll(&known, &paused, 1).await.ok()?;
        assert!(look.claims.is_empty());
        let aside = broker.parked_jobs().await.ok()?;
        (!aside.is_empty()).then_some(())
    })
    .await;
    broker.give_order(&batch, None).await.expect("taken back");
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(taken.job().id, job.id);
}

#[tokio::test]
async fn notices_of_strangers_have_the_orders_read_a_few_times_a_second_only() {
    const NOTICES: usize = 3000;
    let (server, broker, _) = start().await;
    let proxy = Proxy::start(Protocol::Nats, server.0.port());
    let (far, _) = connect_to(proxy.nats_url()).await;
    let read = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&read);
    proxy.judge(move |request| {
        if request.subject.contains("DIRECT.GET.KV_control") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Fate::Passed
    });
    let (tell, mut told) = tokio::sync::watch::channel(common::farm::orders::Orders::default());
    let following =
        tokio::spawn(async move { far.follow_orders(tell, Duration::from_secs(60)).await });
    let target = Target::Queue("libx264".parse().expect("a queue"));
    let order = paused();
    let began = std::time::Instant::now();
    for _ in 0..NOTICES {
        let notice = broker.client().publish("orders.queue.x", "".into());
        notice.await.expect("sent");
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    broker
        .give_order(&target, Some(&order))
        .await
        .expect("given");
    told.wait_for(|known| known.is_paused(&target))
        .await
        .expect("it is heard");
    // Each reading asks for one page, and finds its end.
    let most = 20 + 2 * usize::try_from(began.elapsed().as_millis() / 100).expect("seconds");
    let read = read.load(Ordering::Relaxed);
    assert!(read <= most, "read {read} times");
    following.abort();
}
