//! Cancelling at each step of a job's life: a cancelled job has no output, and a published job is not cancelled,
//! whichever clocks are wrong and whichever worker has died.

use std::time::Duration;

use common::broker::{Broker, ConnectOptions, SteerResult};
use common::job::Job;
use common::job::run::{Run, RunState};
use common::names::subject;
use common::wire;
use futures::future::join_all;
use harness::farm::Farm;
use harness::faults::proxy::Fate;
use harness::faults::victim::{Step, Victim};
use harness::servers::store::TestStore;
use harness::{outside, paths, poll};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a cancel may take to be decided on a busy machine.
const SOON: Duration = Duration::from_secs(20);

async fn store() -> (TestStore, TempDir) {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    store.put(&paths::media("h264.mp4"), "in/h264.mp4").await;
    (store, folder)
}

async fn cancel(broker: &Broker, job: &Job) -> SteerResult {
    let asked = Instant::now();
    let steered = broker.cancel(&job.id).await.unwrap();
    assert!(asked.elapsed() < SOON, "took {:?}", asked.elapsed());
    steered
}

/// A client with another lease than that of the farm's workers.
async fn stranger(farm: &Farm) -> Broker {
    let mut options = ConnectOptions::new(farm.url(), "stranger");
    options.ack_wait = Duration::from_millis(500);
    Broker::set_up(&options).await.unwrap()
}

async fn cancelled_at(store: &TestStore, step: Step) {
    let farm = Farm::start().await;
    let mut victim = Victim::join(&farm, store, "w").await;
    let output = format!("out-{step:?}/film.mkv");
    let job = store.job("in/h264.mp4", &output, "libx264").await;
    let held = victim.hold_at(step);
    farm.enqueue(&job).await;
    let reached = held.reached(&farm).await;
    let steered = cancel(&stranger(&farm).await, &job).await;
    reached.decide(Fate::Passed);
    victim.recover();
    let run = farm.ended(&job.id).await;
    let is_cancelled = matches!(steered, SteerResult::Done(_));
    assert_eq!(
        is_cancelled,
        run.state == RunState::Cancelled,
        "{step:?}: {steered:?}, {run:#?}"
    );
    let is_late = matches!(
        step,
        Step::Committing | Step::Completing | Step::Acknowledging
    );
    assert_eq!(is_cancelled, !is_late, "{step:?}");
    poll::until("the worker to let go of the job", async || {
        let heartbeat = farm.heartbeat("w").await?;
        let is_clean = outside::scratch_files(&farm.scratch()).is_empty();
        let is_whole = !store.uploads().await.contains(&output);
        (heartbeat.running.is_empty() && is_clean && is_whole).then_some(())
    })
    .await;
    let is_there = store.keys().await.contains(&output);
    assert_eq!(is_there, !is_cancelled, "{step:?}");
    assert_eq!(
        farm.run(&job.id).await.map(|run| run.state),
        Some(run.state)
    );
}

/// The worker's clock is off by so much when its output is about to appear.
async fn too_late_whatever_the_clock(store: &TestStore, seconds: i64) {
    let farm = Farm::start().await;
    let mut victim = Victim::join(&farm, store, "w").await;
    victim.worker.process.kill();
    victim.restart_off(&farm, store, seconds).await;
    let output = format!("out-clock{seconds}/film.mkv");
    let job = store.job("in/h264.mp4", &output, "libx264").await;
    let held = victim.hold_at(Step::Committing);
    farm.enqueue(&job).await;
    let reached = held.reached(&farm).await;
    let steered = cancel(&farm.view, &job).await;
    assert!(
        matches!(steered, SteerResult::TooLate(_)),
        "{seconds}: {steered:?}"
    );
    reached.decide(Fate::Passed);
    farm.completed(&job.id).await;
}

/// A worker with such a clock dies during the commit. The cancel is refused within seconds, and the worker that takes
/// the job over decides it.
async fn refused_of_the_dead(store: &TestStore, seconds: i64) {
    let farm = Farm::start().await;
    let mut victim = Victim::join(&farm, store, "w").await;
    victim.worker.process.kill();
    victim.restart_off(&farm, store, seconds).await;
    let output = format!("out-dead{seconds}/film.mkv");
    let job = store.job("in/h264.mp4", &output, "libx264").await;
    let held = victim.hold_at(Step::Committing);
    farm.enqueue(&job).await;
    let reached = held.reached(&farm).await;
    victim.worker.process.kill();
    drop(reached);
    let steered = cancel(&farm.view, &job).await;
    assert!(
        matches!(steered, SteerResult::TooLate(_)),
        "{seconds}: {steered:?}"
    );

    // The job can be cancelled once another worker has made sure that no output appears.
    let mut heir = Victim::join(&farm, store, "heir").await;
    let held = heir.hold_at(Step::Encoding);
    held.reached(&farm).await;
    let steered = cancel(&farm.view, &job).await;
    assert!(
        matches!(steered, SteerResult::Done(_)),
        "{seconds}: {steered:?}"
    );
    heir.recover();
    assert!(!store.keys().await.contains(&output));
    assert!(!store.uploads().await.contains(&output));
}

#[tokio::test]
async fn a_job_cancelled_at_any_moment_has_no_output_or_is_not_cancelled() {
    let (store, _folder) = store().await;
    join_all(Step::ALL.map(|step| Box::pin(cancelled_at(&store, step)))).await;
}

#[tokio::test]
async fn a_published_job_is_not_cancelled_whatever_the_clocks_say() {
    let (store, _folder) = store().await;
    join_all([-600, 600].map(|off| Box::pin(too_late_whatever_the_clock(&store, off)))).await;
    join_all([-600, 600].map(|off| Box::pin(refused_of_the_dead(&store, off)))).await;
}

/// Times that no clock will ever show.
#[tokio::test]
async fn a_run_with_impossible_times_does_not_delay_a_cancel() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let mut victim = Victim::join(&farm, &store, "w").await;
    let job = store.job("in/h264.mp4", "out/film.mkv", "libx264").await;
    let held = victim.hold_at(Step::Committing);
    farm.enqueue(&job).await;
    let reached = held.reached(&farm).await;
    victim.worker.process.kill();
    drop(reached);
    let run = farm.run(&job.id).await.unwrap();
    for changed in ["2999-01-01T00:00:00Z", "9999-12-30T00:00:00Z"] {
        let run = Run {
            changed: changed.parse().unwrap(),
            ..run.clone()
        };
        let key = subject::kv(subject::RUNS, &subject::run(&job.id));
        let jetstream = farm.view.jetstream();
        let stored = jetstream.publish(key, wire::encode(&run)).await.unwrap();
        stored.await.unwrap();
        let asked = Instant::now();
        let steered = farm.view.cancel(&job.id).await;
        assert!(asked.elapsed() < SOON, "took {:?}", asked.elapsed());
        // The fate of the output is unknown, so the cancel may not succeed.
        assert!(!matches!(steered, Ok(SteerResult::Done(_))), "{steered:?}");
    }
}
