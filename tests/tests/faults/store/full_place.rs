//! An output place that takes no outputs for a while.

use std::path::Path;
use std::time::Duration;

use common::farm::worker::Away;
use common::job::Job;
use common::names::location::Location;
use harness::farm::Farm;
use harness::faults::disk::SmallDisk;
use harness::programs::Worker;
use harness::{outside, paths, poll};

/// The number of jobs that meet the full place.
const JOBS: usize = 4;
/// Longer than three attempts and the waits between them take.
const FULL: Duration = Duration::from_secs(15);

/// Waits until the worker's heartbeat says that a place takes no outputs.
async fn away(farm: &Farm) -> Away {
    let away = poll::until("the worker to say that its place is full", async || {
        let heartbeat = farm.heartbeat("w").await?;
        heartbeat.away.into_iter().next()
    })
    .await;
    assert!(away.only_writing, "{away:#?}");
    away
}

/// Every job completes at its first attempt, without a failure.
async fn complete_at_first_attempt(farm: &Farm, jobs: &[Job]) {
    for job in jobs {
        let (run, _) = farm.completed(&job.id).await;
        assert_eq!((run.attempt, run.failures.len()), (1, 0), "{run:#?}");
    }
    assert_eq!(farm.dead_letters().await, 0);
    poll::until("the place to be well", async || {
        let heartbeat = farm.heartbeat("w").await?;
        heartbeat.away.is_empty().then_some(())
    })
    .await;
}

/// A worker of two slots that writes to a small disk, and jobs for it.
async fn begin(farm: &Farm) -> (Worker, Vec<Job>) {
    let out = farm.out();
    let media = paths::brought();
    let setup = farm
        .worker("w")
        .encoders("libx264")
        .option("--max-jobs", "2")
        .roots(&[&out, farm.folder().join("in").as_path(), &media])
        .environment([("RETRY_AFTER", "500ms".to_owned())]);
    let mut jobs = Vec::new();
    std::fs::create_dir_all(farm.folder().join("in")).unwrap();
    for nth in 0..JOBS {
        let input = farm.folder().join(format!("in/{nth}.mp4"));
        std::fs::copy(paths::media("h264.mp4"), &input).unwrap();
        jobs.push(farm.job(&input, "libx264"));
    }
    (farm.join(setup).await, jobs)
}

async fn enqueue(farm: &Farm, jobs: &[Job]) {
    for job in jobs {
        farm.enqueue(job).await;
    }
}

/// While a place takes no outputs, jobs wait, and people see the reason.
async fn wait_without_a_failure(farm: &Farm, jobs: &[Job]) {
    let away = away(farm).await;
    assert_eq!(away.place, Location::file(&farm.out()).unwrap());
    let last = jobs.last().unwrap();
    let told = poll::until("why to tell of the place", async || {
        let told = farm.producer(["why", &last.id.to_string()]).await.stdout;
        told.contains("cannot write to").then_some(told)
    })
    .await;
    assert!(told.contains(&away.error), "{told}");
    tokio::time::sleep(FULL).await;
    for job in jobs {
        let run = farm.run(&job.id).await;
        assert!(
            run.as_ref()
                .is_none_or(|run| !run.state.is_terminal() && run.failures.is_empty()),
            "{run:#?}"
        );
    }
}

#[tokio::test]
async fn a_full_output_folder_fails_no_job() {
    let farm = Farm::start().await;
    let Some(_disk) = SmallDisk::mount(&farm.out(), 4096) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let (_worker, jobs) = begin(&farm).await;
    let filler = farm.out().join("filler");
    // Some kilobytes are free: a small file fits, an output does not.
    std::fs::write(&filler, vec![0; 4088 * 1024]).unwrap();
    enqueue(&farm, &jobs).await;
    wait_without_a_failure(&farm, &jobs).await;
    assert_eq!(outside::names(&farm.out()), [Path::new("filler")]);
    std::fs::remove_file(&filler).unwrap();
    complete_at_first_attempt(&farm, &jobs).await;
    assert_eq!(outside::names(&farm.out()).len(), JOBS, "nothing is left");
}

#[tokio::test]
async fn an_output_folder_that_is_read_only_for_a_while_fails_no_job() {
    let farm = Farm::start().await;
    let Some(disk) = SmallDisk::mount(&farm.out(), 4096) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let (_worker, jobs) = begin(&farm).await;
    disk.lock(true);
    enqueue(&farm, &jobs).await;
    wait_without_a_failure(&farm, &jobs).await;
    disk.lock(false);
    complete_at_first_attempt(&farm, &jobs).await;
}

/// Jobs that only read from the full place go on.
#[tokio::test]
async fn a_full_disk_can_still_be_read() {
    let farm = Farm::start().await;
    let Some(_disk) = SmallDisk::mount(&farm.out(), 4096) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let (_worker, jobs) = begin(&farm).await;
    let inside = farm.out().join("inside.mp4");
    std::fs::copy(paths::media("h264.mp4"), &inside).unwrap();
    let left = (4096 - 16) * 1024 - std::fs::metadata(&inside).unwrap().len();
    std::fs::write(farm.out().join("filler"), vec![0; left as usize]).unwrap();
    farm.enqueue(&jobs[0]).await;
    away(&farm).await;
    let mut reading = farm.job(&inside, "libx264");
    reading.output = Location::file(&farm.folder().join("in/inside.mkv")).unwrap();
    let reading = Job::new(
        reading.batch,
        reading.input,
        reading.output,
        reading.recipe,
        None,
    );
    farm.enqueue(&reading).await;
    farm.completed(&reading.id).await;
    std::fs::remove_file(farm.out().join("filler")).unwrap();
    complete_at_first_attempt(&farm, &jobs[..1]).await;
}
