//! Workers that end in the middle of a job, by a kill or in an orderly way.

use std::path::Path;
use std::time::{Duration, Instant};

use common::job::Job;
use common::job::event::What;
use common::job::further::{FurtherInput, FurtherRole, Join};
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::outside::media::Media;
use harness::process::Signal;
use harness::programs::Worker;
use harness::{outside, paths, poll};
use jiff::Timestamp;

/// A worker whose encodes take far longer than usual.
async fn slow_worker(farm: &Farm, name: &str) -> Worker {
    let mut ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")));
    ffmpeg.set_fault(Fault::Pace(0.1));
    farm.join(farm.worker(name).encoders("libx264").ffmpeg(&ffmpeg))
        .await
}

async fn no_encode_in(folder: &Path) {
    poll::until("the worker's ffmpeg to be gone", async || {
        outside::encodes_in(folder).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_killed_workers_job_is_finished_by_another() {
    let farm = Farm::start().await;
    let mut dying = slow_worker(&farm, "dying").await;
    let input = paths::media("h264.mp4");
    let job = farm.job(&input, "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &dying).await;
    let heir = farm.join(farm.worker("heir").encoders("libx264")).await;
    let scratch = farm.scratch_of("dying");
    assert!(!outside::encodes_in(&scratch).is_empty(), "it encodes");

    dying.process.kill();
    no_encode_in(&scratch).await;

    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), heir.name);
    assert_eq!(run.attempt, 2);
    assert_eq!(run.failures.len(), 1, "one lost attempt: {run:#?}");

    assert_eq!(outside::names(&farm.out()), [Path::new("h264.mkv")]);
    let output = Media::of(&farm.out().join("h264.mkv"));
    assert_eq!(output.frames(), Media::of(&input).frames());
    assert_eq!(farm.queued().await, 0);
    assert_eq!(farm.dead_letters().await, 0);
    let history = farm.view.events(&job.id).await.unwrap();
    let ends = history
        .iter()
        .filter(|event| matches!(event.what, What::Completed(_)));
    assert_eq!(ends.count(), 1, "{history:#?}");

    assert!(
        !outside::scratch_files(&scratch).is_empty(),
        "a killed worker cannot clean up"
    );
    let _again = farm.join(farm.worker("dying").encoders("libx264")).await;
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}

#[tokio::test]
async fn parts_are_joined_by_another_worker_after_a_kill() {
    let farm = Farm::start().await;
    let mut dying = slow_worker(&farm, "dying").await;
    let part = paths::media("h264.mp4");
    let alone = farm.job(&part, "libx264");
    let mut work = alone.work();
    work.further = vec![FurtherInput {
        input: work.input.clone(),
        role: FurtherRole::Continuation(Join::ByRecipe),
    }];
    let job = Job::of(alone.batch, work, None);
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &dying).await;
    let heir = farm.join(farm.worker("heir").encoders("libx264")).await;
    dying.process.kill();
    no_encode_in(&farm.scratch_of("dying")).await;

    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), heir.name);
    assert_eq!(run.attempt, 2);
    let output = Media::of(&farm.out().join("h264.mkv"));
    assert_eq!(output.frames(), 2 * Media::of(&part).frames());
    assert_eq!(report.frames, output.frames());
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_its_job_back_at_once() {
    const LEASE: Duration = Duration::from_secs(120);
    let farm = Farm::patient(LEASE).await;
    let mut leaving = slow_worker(&farm, "leaving").await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &leaving).await;
    let heir = farm.join(farm.worker("heir").encoders("libx264")).await;

    let told = Timestamp::now();
    leaving.process.signal(Signal::TERM);
    let status = leaving.process.wait().await;
    assert!(status.success(), "{status}");
    assert!(outside::encodes_in(&farm.scratch_of("leaving")).is_empty());
    assert!(farm.heartbeat("leaving").await.is_none(), "it signed off");

    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), heir.name);
    assert_eq!(
        (run.attempt, run.spent()),
        (2, 1),
        "stopping costs no attempt"
    );
    let history = farm.view.events(&job.id).await.unwrap();
    let claimed = history
        .iter()
        .rfind(|event| matches!(event.what, What::Claimed(_)))
        .expect("claimed twice");
    let waited: Duration = claimed.at.duration_since(told).unsigned_abs();
    // Long before the end of the lease, so the worker released the job.
    assert!(waited < LEASE / 4, "taken after {waited:?}");
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}

#[tokio::test]
async fn a_job_that_can_be_finished_in_time_is_finished_before_the_worker_stops() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Pace(0.5));
    let setup = farm.worker("leaving").encoders("libx264").ffmpeg(&ffmpeg);
    let mut leaving = farm.join(setup.option("--drain-timeout", "60s")).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding_in_sight_of_its_end(&job.id, &leaving).await;

    leaving.process.signal(Signal::TERM);
    let (run, _) = farm.completed(&job.id).await;
    assert_eq!(run.attempt, 1);
    let completed = Instant::now();
    let status = leaving.process.wait().await;
    assert!(status.success(), "{status}");
    let waited = completed.elapsed();
    assert!(
        waited < Duration::from_secs(30),
        "the worker had nothing left to do, and stayed for {waited:?}"
    );
}

#[tokio::test]
async fn a_worker_stops_although_the_broker_is_gone() {
    let mut farm = Farm::start().await;
    let mut leaving = slow_worker(&farm, "leaving").await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &leaving).await;
    farm.broker.kill();
    leaving.process.signal(Signal::TERM);
    leaving.process.wait().await;
    assert!(outside::encodes_in(&farm.scratch()).is_empty());
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}
