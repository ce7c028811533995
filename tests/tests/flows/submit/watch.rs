//! `producer watch`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::job::run::Run;
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::process::{Daemon, Signal};
use harness::{paths, poll};

/// How long a file must stay unchanged.
const SETTLE: &str = "5s";
const SETTLED: Duration = Duration::from_secs(4);
/// The time between two pieces of a file that is being written. Even if a busy machine makes it twenty times as long,
/// the file has not settled.
const PIECE: Duration = Duration::from_millis(250);
/// The number of pieces: writing them takes longer than a file needs to settle.
const PIECES: usize = 24;

fn watching(farm: &Farm, place: &Path) -> Daemon {
    let mut command = farm.producer_command();
    command.arg("watch").arg(place).args([
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--settle",
        SETTLE,
        "--interval",
        "200ms",
    ]);
    Daemon::start("producer watch", command, &farm.folder().join("watch.log"))
}

/// Writes a file piece by piece. Returns the longest time between two pieces.
fn write_slowly(to: &Path, whole: &[u8]) -> Duration {
    let mut file = std::fs::File::create(to).unwrap();
    let mut longest = Duration::ZERO;
    for piece in whole.chunks(whole.len().div_ceil(PIECES)) {
        let began = Instant::now();
        file.write_all(piece).unwrap();
        std::thread::sleep(PIECE);
        longest = longest.max(began.elapsed());
    }
    longest
}

/// Waits until the job of an input of this size has completed; returns all runs so far.
async fn completed_of_size(farm: &Farm, size: u64) -> Vec<Run> {
    poll::until("the whole file to be done", async || {
        let runs = farm.view.runs().await.ok()?;
        runs.iter()
            .any(|run| run.state.as_str() == "completed" && run.job.input.size == size)
            .then_some(runs)
    })
    .await
}

async fn completed(farm: &Farm, jobs: usize) -> Vec<Run> {
    poll::until(&format!("{jobs} jobs to be done"), async || {
        let runs = farm.view.runs().await.ok()?;
        let done = runs.iter().filter(|run| run.state.as_str() == "completed");
        (done.count() == jobs).then_some(runs)
    })
    .await
}

#[tokio::test]
async fn a_watched_file_is_enqueued_once_it_is_complete() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let place = farm.folder_of("in", &[]);
    let mut watch = watching(&farm, &place);
    let clip = paths::media("h264.mp4");
    let whole = std::fs::read(&clip).unwrap();
    let to = place.join("film.mp4");
    let writing = std::thread::spawn(move || write_slowly(&to, &whole));
    let longest = tokio::task::spawn_blocking(|| writing.join().unwrap());
    let longest = longest.await.unwrap();
    let runs = completed_of_size(&farm, std::fs::metadata(&clip).unwrap().len()).await;
    // If the machine stood still for so long, half a file may have settled.
    if longest < SETTLED {
        assert_eq!(runs.len(), 1, "nothing was taken too early: {runs:#?}");
    }
    let output = Media::of(&farm.out().join("film.mkv"));
    assert_eq!(output.frames(), Media::of(&clip).frames());

    watch.signal(Signal::INT);
    assert_eq!(watch.wait().await.code(), Some(130), "{}", watch.log());
    assert!(
        watch.log().contains("film.mp4: enqueued as"),
        "{}",
        watch.log()
    );

    // A second watch finds the file done, and takes the file that came in between.
    std::fs::copy(paths::media("vp9.webm"), place.join("next.webm")).unwrap();
    let _watch = watching(&farm, &place);
    completed(&farm, 2).await;
    let batches = farm.view.batches().await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.jobs).sum::<u64>(), 2);
}

#[tokio::test]
async fn a_watch_outlives_its_broker() {
    let mut farm = Farm::start().await;
    let place = farm.folder_of("in", &[]);
    let watch = watching(&farm, &place);
    poll::until("it to watch", async || {
        watch.log().contains("watching").then_some(())
    })
    .await;
    farm.broker.kill();
    std::fs::copy(paths::media("h264.mp4"), place.join("film.mp4")).unwrap();
    poll::until("it to say that something is wrong", async || {
        watch.log().contains("retrying").then_some(())
    })
    .await;
    farm.broker.restart().await;
    poll::until("it to say that all is well", async || {
        watch.log().contains("the problem is over").then_some(())
    })
    .await;
    poll::until("the film to be enqueued", async || {
        watch.log().contains("film.mp4: enqueued").then_some(())
    })
    .await;
}

#[tokio::test]
async fn results_are_not_enqueued_as_new_files() {
    let farm = Farm::start().await;
    let place = farm.folder_of("in", &[paths::media("h264.mp4")]);
    for output in [&place, &farm.folder().to_owned()] {
        let line: [PathBuf; 4] = ["watch".into(), place.clone(), "-o".into(), output.clone()];
        let line = line.into_iter().chain(["--codec".into(), "h264".into()]);
        let refused = farm.producer(line).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains("choose another folder"),
            "{refused:?}"
        );
    }
    let line = ["watch", "nowhere", "-o", "out", "--codec", "h264"];
    let refused = farm.producer(line).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("not a folder: nowhere"),
        "{refused:?}"
    );
}
