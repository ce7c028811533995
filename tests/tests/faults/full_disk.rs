//! No space left.

use std::path::Path;

use common::failure::Fault as Whose;
use common::run::State;
use harness::disk::SmallDisk;
use harness::farm::Farm;
use harness::{outside, paths};

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
    // Lossless: many times larger than the disk.
    let mut job = farm.job(&input, "ffv1");
    job.attempts = 1;
    farm.enqueue(&job).await;

    let run = farm.ended(&job.id).await;
    let State::Failed { failure } = &run.state else {
        panic!("it passed: {run:#?}")
    };
    assert_eq!(failure.fault, Whose::Worker, "{failure}");
    assert!(failure.message.contains("No space left"), "{failure}");
    assert_eq!(std::fs::read(&input).unwrap(), before);
    assert_eq!(outside::names(&farm.out()), Vec::<&Path>::new());
}
