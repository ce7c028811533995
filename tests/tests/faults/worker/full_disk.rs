//! Disks without space.

use std::path::Path;
use std::time::Duration;

use common::job::Job;
use common::job::failure::Fault as Whose;
use common::job::id::BatchId;
use common::job::run::RunState;
use common::names::location::Location;
use harness::farm::Farm;
use harness::faults::disk::SmallDisk;
use harness::{outside, paths, poll};

#[tokio::test]
async fn a_full_scratch_disk_fails_the_attempt_and_harms_nothing() {
    let farm = Farm::start().await;
    let Some(_disk) = SmallDisk::mount(&farm.scratch(), 512) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let _worker = farm.join(farm.worker("w").encoders("ffv1")).await;
    let input = paths::media("h264.mp4");
    let before = std::fs::read(&input).unwrap();
    // Lossless, so the output would be many times larger than the disk.
    let mut job = farm.job(&input, "ffv1");
    job.attempts = 1;
    farm.enqueue(&job).await;

    let run = farm.ended(&job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("it passed: {run:#?}")
    };
    assert_eq!(failure.fault, Whose::Worker, "{failure}");
    assert!(failure.message.contains("No space left"), "{failure}");
    assert_eq!(std::fs::read(&input).unwrap(), before);
    assert_eq!(outside::names(&farm.out()), Vec::<&Path>::new());
}

#[tokio::test]
async fn a_job_waits_until_the_disk_of_outputs_has_space() {
    let farm = Farm::start().await;
    let Some(_disk) = SmallDisk::mount(&farm.out(), 16 << 10) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let ballast = farm.out().join("ballast");
    std::fs::write(&ballast, vec![0; (16 << 20) - (12 << 10)]).unwrap();
    let setup = farm.worker("w").encoders("mpeg4");
    let _worker = farm
        .join(setup.environment([("RETRY_AFTER", "100ms".to_owned())]))
        .await;
    let input = farm.job(&paths::media("h264.mp4"), "mpeg4");
    let mut jobs = Vec::new();
    for nth in 0..4 {
        let output = Location::file(&farm.out().join(format!("{nth}.mkv"))).unwrap();
        let (input, recipe) = (input.input.clone(), input.recipe.clone());
        let mut job = Job::new(BatchId::new(), input, output, recipe, None);
        job.attempts = 1;
        farm.enqueue(&job).await;
        jobs.push(job);
    }
    let away = poll::until(
        "the worker to say that the disk takes nothing",
        async || {
            let heartbeat = farm.heartbeat("w").await?;
            heartbeat.away.into_iter().next()
        },
    )
    .await;
    assert!(away.error.contains("space"), "{}", away.error);
    // Longer than the job's only attempt.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(farm.dead_letters().await, 0);
    std::fs::remove_file(&ballast).unwrap();
    for job in &jobs {
        let (run, _) = farm.completed(&job.id).await;
        assert_eq!(run.spent(), 1, "{run:#?}");
    }
    assert_eq!(outside::names(&farm.out()).len(), jobs.len());
}
