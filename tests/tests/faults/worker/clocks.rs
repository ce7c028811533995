//! Clocks that are an hour off: the broker's clock decides.

use std::time::Duration;

use common::farm::worker::WorkerStatus;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::{Worker, clock_off};
use harness::{outside, paths, poll};
use jiff::{SignedDuration, Span, Timestamp, Zoned};

/// Seconds in an hour.
const HOUR: i64 = 3600;
/// How long anything may take that is not delayed by an hour.
const SOON: Duration = Duration::from_secs(60);

/// A worker whose clock is off and whose ffmpeg is the stand-in.
async fn worker_off(farm: &Farm, seconds: i64, ffmpeg: &StandIn) -> Worker {
    let setup = farm.worker("off").encoders("libx264").ffmpeg(ffmpeg);
    farm.join(setup.clock_off(seconds).option("--retry-after", "1s"))
        .await
}

/// Whether a time lies within a minute of now.
fn is_now(time: Timestamp) -> bool {
    Timestamp::now().duration_since(time).abs() < SignedDuration::from_mins(1)
}

async fn a_failure_is_tried_again(seconds: i64) {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    let off = worker_off(&farm, seconds, &ffmpeg).await;
    // Set after the start: other tests use the cached capability card of a healthy ffmpeg.
    ffmpeg.set_fault(Fault::Sick);
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    let begun = std::time::Instant::now();
    let failed = farm
        .run_that(&job.id, "tried in vain", |run| !run.failures.is_empty())
        .await;
    ffmpeg.recover();
    assert!(is_now(failed.changed), "{failed:#?}");
    if let RunState::Waiting { until, .. } = failed.state {
        assert!(is_now(until), "{failed:#?}");
        let why = farm
            .producer(["why", &job.id.to_string()])
            .await
            .succeeded();
        assert!(!why.stdout.contains("should start"), "{}", why.stdout);
    }
    let (run, _) = farm.completed(&job.id).await;
    assert!(
        begun.elapsed() < SOON,
        "tried again after {:?}",
        begun.elapsed()
    );
    assert!(run.attempt >= 2 && is_now(run.changed), "{run:#?}");

    let heartbeat = farm.heartbeat("off").await.unwrap();
    let ahead = heartbeat.clock_ahead - seconds as f64;
    assert!(ahead.abs() < 5.0, "{} s ahead", heartbeat.clock_ahead);
    assert!(is_now(heartbeat.at) && is_now(heartbeat.started));
    let log = off.process.log();
    let told = log.matches("this machine's clock is").count();
    assert_eq!(told, 1, "{log}");
}

#[tokio::test]
async fn a_failure_is_tried_again_soon_although_the_workers_clock_is_ahead() {
    a_failure_is_tried_again(HOUR).await;
}

#[tokio::test]
async fn a_failure_is_tried_again_soon_although_the_workers_clock_is_behind() {
    a_failure_is_tried_again(-HOUR).await;
}

/// A running job is cancelled at once, and its worker stops the encode.
async fn cancelled(worker: i64, person: i64) {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let off = worker_off(&farm, worker, &ffmpeg).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &off).await;
    let mut cancel = farm.producer_command();
    cancel
        .envs(clock_off(person))
        .args(["cancel", &job.id.to_string()]);
    harness::process::run_within(SOON, cancel).await.succeeded();
    let run = farm.ended(&job.id).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert!(is_now(run.changed), "{run:#?}");
    poll::until("its ffmpeg to be gone", async || {
        outside::encodes_in(&farm.scratch())
            .is_empty()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_is_cancelled_although_clocks_are_wrong() {
    cancelled(HOUR, -HOUR).await;
}

#[tokio::test]
async fn a_job_of_a_producer_whose_clock_is_ahead_hops_when_it_should() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let _worker = farm
        .join(farm.worker("w").encoders("libx264,libopenh264,mpeg4"))
        .await;
    // No worker here serves the first queue.
    let mut enqueue = farm.producer_command();
    enqueue
        .envs(clock_off(HOUR))
        .arg("enqueue")
        .arg(&folder)
        .arg("-o")
        .arg(farm.out());
    enqueue.args([
        "--encoder",
        "h264_nvenc,libx264",
        "--hop-after",
        "2s",
        "--json",
    ]);
    harness::process::run_within(SOON, enqueue)
        .await
        .succeeded();
    let jobs = farm.view.jobs(true).await.unwrap();
    let job = jobs[0].job();
    assert!(is_now(job.enqueued), "{job:#?}");
    let begun = std::time::Instant::now();
    farm.completed(&job.id).await;
    assert!(begun.elapsed() < SOON);
}

#[tokio::test]
async fn working_hours_are_those_of_the_brokers_clock() {
    let farm = Farm::start().await;
    // Hours that began ten minutes ago and end in ten.
    let clock = |minutes: i64| {
        let time = Zoned::now().checked_add(Span::new().minutes(minutes));
        time.unwrap().strftime("%H:%M").to_string()
    };
    let hours = format!("{}-{}", clock(-10), clock(10));
    let setup = farm.worker("off").encoders("libx264").clock_off(HOUR);
    let _off = farm.join(setup.option("--schedule", hours)).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    let over = format!("{}-{}", clock(-130), clock(-120));
    farm.producer(["hours", "off", &over]).await.succeeded();
    let off = poll::until("the worker to be off hours", async || {
        let heartbeat = farm.heartbeat("off").await?;
        (heartbeat.status == WorkerStatus::OffHours).then_some(heartbeat)
    })
    .await;
    let until = off.until.unwrap().duration_since(Timestamp::now());
    let expected = SignedDuration::from_mins(24 * 60 - 130);
    assert!(
        (until - expected).abs() < SignedDuration::from_mins(2),
        "{until}"
    );
}
