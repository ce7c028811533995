//! Checks for damage whose worker dies, or whose file changes meanwhile.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::Job;
use common::job::id::BatchId;
use common::job::kind::CheckDepth;
use common::job::progress::Progress;
use common::job::run::{RunState, Stage};
use common::job::work::Work;
use common::names::subject;
use common::wire;
use futures::StreamExt;
use harness::farm::Farm;
use harness::{paths, poll};

/// A film that takes many seconds to decode.
fn long_film(folder: &Path) -> PathBuf {
    let film = folder.join("film.mp4");
    let made = Command::new(paths::tool("ffmpeg"))
        .args(["-v", "error", "-stream_loop", "14", "-i"])
        .arg(paths::clip("bigbuckbunny.mp4"))
        .args(["-c", "copy", "-movflags", "+faststart"])
        .arg(&film)
        .status();
    assert!(made.expect("ffmpeg").success());
    film
}

/// Enqueues a full check of a film, and waits until a worker has decoded some of it.
async fn half_checked(farm: &Farm, film: &Path) -> Job {
    let work = Work::check(farm.job(film, "libx264").input, CheckDepth::Full);
    let job = Job::of(BatchId::new(), work, None);
    let reports = farm.view.client().subscribe(subject::progress(&job.id));
    let mut reports = reports.await.expect("connected");
    farm.enqueue(&job).await;
    let decoding = async {
        while let Some(message) = reports.next().await {
            let progress: Progress = wire::decode(&message.payload).expect("progress");
            let share = progress.fraction.unwrap_or(0.0);
            if progress.stage == Stage::Verifying && share > 0.0 {
                assert!(share < 0.9, "the film is too short: {progress:?}");
                return;
            }
        }
        panic!("the broker ended the subscription");
    };
    let decoded = tokio::time::timeout(poll::PATIENCE, decoding).await;
    decoded.expect("the check to make progress");
    job
}

#[tokio::test]
async fn the_check_of_a_killed_worker_is_finished_by_another() {
    let farm = Farm::start().await;
    let film = long_film(farm.folder());
    let mut dying = farm.join(farm.worker("dying")).await;
    let job = half_checked(&farm, &film).await;
    let heir = farm.join(farm.worker("heir")).await;
    dying.process.kill();

    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), heir.name);
    assert_eq!((run.attempt, run.failures.len()), (2, 1), "{run:#?}");
    let health = report.health.expect("a check tells the health");
    assert!(!health.is_damaged(), "{health:?}");
    assert_eq!(farm.queued().await, 0);
    assert_eq!(farm.dead_letters().await, 0);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_checked_is_not_judged() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w")).await;
    type Change = fn(&Path) -> std::io::Result<()>;
    let changes: [(&str, Change); 2] = [("grows", grow), ("is replaced", replace)];
    for (what, change) in changes {
        let film = long_film(farm.folder());
        let job = half_checked(&farm, &film).await;
        change(&film).expect("a test's folder can be written");
        let run = farm.ended(&job.id).await;
        let RunState::Failed { failure } = &run.state else {
            panic!("it {what}: {:?}", run.state);
        };
        let words = "has changed while it was checked: check it again";
        assert!(failure.message.contains(words), "it {what}: {failure}");
        let _ = std::fs::remove_file(&film);
    }
}

/// As by a download that goes on.
fn grow(film: &Path) -> std::io::Result<()> {
    use std::io::Write;
    let mut film = std::fs::File::options().append(true).open(film)?;
    film.write_all(b"more")
}

/// As by a program that writes a new version beside the old one.
fn replace(film: &Path) -> std::io::Result<()> {
    let new = film.with_extension("new");
    std::fs::copy(paths::media("h264.mp4"), &new)?;
    std::fs::rename(new, film)
}
