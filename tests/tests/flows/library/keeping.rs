//! What becomes of the files of a library.

use std::io::Write;
use std::time::Duration;

use common::job::run::Run;
use common::library::file::{FileState, FileStateKind};
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::{outside, paths, poll};

use super::{add, jobs_of, library, reaches, record, records, scanned};

#[tokio::test]
async fn files_come_to_the_state_that_a_library_wants() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let extras = farm.folder_of("films/Extras", &[paths::media("hevc.mkv")]);
    std::fs::write(folder.join("broken.mkv"), vec![7; 5000]).unwrap();
    std::fs::write(folder.join("notes.txt"), "no media").unwrap();
    std::fs::copy(paths::media("h264.mp4"), folder.join(".hidden.mp4")).unwrap();
    let added = add(&farm, &folder, &["--exclude", "Extras/**"]).await;
    assert_eq!(added.code, Some(0), "{added:?}");

    let done = reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    let output = farm.out().join("h264.mkv");
    assert_eq!(
        Media::of(&output).frames(),
        Media::of(&paths::media("h264.mp4")).frames()
    );
    let FileState::Done(made) = &done.state else {
        panic!("{done:?}");
    };
    assert_eq!(
        made.before,
        std::fs::metadata(folder.join("h264.mp4")).unwrap().len()
    );
    assert_eq!(made.after, std::fs::metadata(&output).unwrap().len());
    assert_eq!(made.codec.as_deref(), Some("h264"));
    let broken = reaches(&farm, "broken.mkv", FileStateKind::Unreadable).await;
    assert!(
        broken.state.why().unwrap().contains("no media"),
        "{broken:?}"
    );
    let excluded = reaches(&farm, "hevc.mkv", FileStateKind::Excluded).await;
    assert_eq!(excluded.state.why(), Some("Extras/**"));
    assert_eq!(
        records(&farm).await.len(),
        3,
        "neither texts nor hidden files"
    );
    assert_eq!(
        outside::names(&farm.out()),
        [std::path::Path::new("h264.mkv")]
    );

    // A file that is removed leaves the records; one that changes is looked at and encoded again.
    std::fs::remove_file(extras.join("hevc.mkv")).unwrap();
    std::fs::copy(paths::media("vp9.webm"), folder.join("broken.mkv")).unwrap();
    reaches(&farm, "broken.mkv", FileStateKind::Done).await;
    assert!(farm.out().join("broken.mkv").exists());
    poll::until("the record of a removed file to go", async || {
        record(&farm, "hevc.mkv").await.is_none().then_some(())
    })
    .await;

    let shown = library(&farm, "show", &[]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for words in ["2 done", "h264", "kept by w", "Left to do  0 files"] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
    let listed = library(&farm, "files", &["--state", "done", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let all = farm.producer(["library", "list"]).await;
    assert!(all.stdout.contains("films"), "{all:?}");

    // A library that is removed leaves all files where they are.
    let removed = library(&farm, "remove", &[]).await;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(folder.join("h264.mp4").exists() && output.exists());
    assert!(records(&farm).await.is_empty());
}

#[tokio::test]
async fn a_file_that_arrives_slowly_is_taken_once_it_is_whole() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let folder = farm.folder_of("films", &[]);
    let added = add(&farm, &folder, &["--settle", "4s"]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    scanned(&farm).await;
    let clip = paths::media("h264.mp4");
    let whole = std::fs::read(&clip).unwrap();
    let to = folder.join("film.mp4");
    // Longer than a file needs to settle, in pieces that follow each other far more closely.
    let writing = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::create(to).unwrap();
        let mut longest = Duration::ZERO;
        for piece in whole.chunks(whole.len().div_ceil(24)) {
            let began = std::time::Instant::now();
            file.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(250));
            longest = longest.max(began.elapsed());
        }
        longest
    });
    let longest = writing.await.unwrap();
    reaches(&farm, "film.mp4", FileStateKind::Done).await;
    let output = Media::of(&farm.out().join("film.mkv"));
    assert_eq!(output.frames(), Media::of(&clip).frames());
    // If the machine stood still for so long, half a file may have settled.
    if longest < Duration::from_secs(3) {
        assert_eq!(
            jobs_of(&farm, "film.mp4").await,
            1,
            "nothing was taken too early"
        );
    }
}

#[tokio::test]
async fn rules_leave_files_as_they_are_and_so_many_files_a_day_are_checked() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let folder = farm.folder_of(
        "films",
        &[paths::media("h264.mp4"), paths::media("hevc.mkv")],
    );
    let damaged = folder.join("damaged.mkv");
    let bytes = std::fs::read(paths::media("hevc.mkv")).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let rule = "video.codec = hevc";
    let added = add(
        &farm,
        &folder,
        &["--skip-if", rule, "--verify-per-day", "2"],
    )
    .await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let skipped = reaches(&farm, "hevc.mkv", FileStateKind::Skipped).await;
    assert_eq!(skipped.state.why(), Some(rule));
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    assert_eq!(
        jobs_of(&farm, "hevc.mkv").await - checks_of(&farm, "hevc.mkv").await,
        0
    );

    // Two of the three files: today no further one is checked.
    let checked = async || {
        let files = records(&farm).await;
        files
            .into_iter()
            .filter(|file| file.check.at.is_some())
            .count()
    };
    poll::until("two files to be checked", async || {
        (checked().await == 2).then_some(())
    })
    .await;
    scanned(&farm).await;
    scanned(&farm).await;
    assert_eq!(checked().await, 2);
    let more = library(&farm, "edit", &["--verify-per-day", "3"]).await;
    assert_eq!(more.code, Some(0), "{more:?}");
    let found = poll::until("the damage to be found", async || {
        record(&farm, "damaged.mkv").await?.check.damage
    })
    .await;
    assert!(!found.is_empty());
    poll::until("all files to be checked", async || {
        (checked().await == 3).then_some(())
    })
    .await;
    let sound = record(&farm, "hevc.mkv").await.unwrap();
    assert_eq!(sound.check.damage, None, "{sound:?}");
    let listed = library(&farm, "files", &["--damaged"]).await;
    assert!(listed.stdout.contains("damaged.mkv"), "{listed:?}");
    assert!(!listed.stdout.contains("h264.mp4"), "{listed:?}");
    let by_rule = library(&farm, "files", &["--where", rule]).await;
    assert!(by_rule.stdout.contains("hevc.mkv"), "{by_rule:?}");
    assert!(!by_rule.stdout.contains("h264.mp4"), "{by_rule:?}");

    // A rule that is taken back leaves the file to the next scan.
    let edited = library(&farm, "edit", &["--skip-if", "none"]).await;
    assert_eq!(edited.code, Some(0), "{edited:?}");
    reaches(&farm, "hevc.mkv", FileStateKind::Done).await;
}

/// How many checks there are of a file of this name.
async fn checks_of(farm: &Farm, file: &str) -> usize {
    let jobs = farm.view.jobs(true).await.expect("the broker answers");
    let checks = jobs.iter().filter(|record| {
        let job = record.job();
        !job.kind.writes() && job.input.location.name() == file
    });
    checks.count()
}

#[tokio::test]
async fn outputs_take_the_places_of_sources_once() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let folder = farm.folder_of(
        "films",
        &[paths::media("h264.mp4"), paths::media("vp9.webm")],
    );
    let place = folder.display().to_string();
    let usual = ["--encoder", "libx264", "--settle", "1s", "--every", "1s"];
    let line = [
        "library",
        "add",
        "films",
        &place,
        "--replace",
        "--container",
        "mp4",
    ];
    let added = farm.producer(line.iter().chain(&usual)).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    for name in ["h264.mp4", "vp9.mp4"] {
        reaches(&farm, name, FileStateKind::Done).await;
        poll::until(&format!("{name} to be its output"), async || {
            let record = record(&farm, name).await?;
            let size = std::fs::metadata(folder.join(name)).ok()?.len();
            let FileState::Done(done) = &record.state else {
                return None;
            };
            (record.input.size == size && done.after == size).then_some(())
        })
        .await;
    }
    assert!(!folder.join("vp9.webm").exists());
    scanned(&farm).await;
    scanned(&farm).await;
    let encodes = farm.view.jobs(true).await.unwrap();
    assert_eq!(encodes.len(), 2, "no output is encoded again");
    let mut names: Vec<String> = records(&farm)
        .await
        .iter()
        .map(|record| record.input.location.name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["h264.mp4", "vp9.mp4"],
        "what is in the trash is no file of it"
    );
}

#[tokio::test]
async fn failed_and_cancelled_files_wait_for_a_person() {
    let farm = Farm::start().await;
    let folder = farm.folder_of(
        "films",
        &[paths::media("h264.mp4"), paths::media("vp9.webm")],
    );
    let _worker = farm.join(farm.worker("w").encoders("libx265")).await;
    // No worker takes its jobs yet.
    let added = add(&farm, &folder, &[]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    let queued = reaches(&farm, "h264.mp4", FileStateKind::Queued).await;
    let job = *queued.state.job().expect("a job");
    let cancelled = farm.producer(["cancel", &job.to_string()]).await;
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    reaches(&farm, "h264.mp4", FileStateKind::Cancelled).await;
    scanned(&farm).await;
    assert_eq!(
        jobs_of(&farm, "h264.mp4").await,
        1,
        "no scan enqueues it again"
    );

    // Paused: the waiting job of the other file is held, and goes on once the library is resumed.
    let other = reaches(&farm, "vp9.webm", FileStateKind::Queued).await;
    let other = *other.state.job().expect("a job");
    let paused = library(&farm, "pause", &[]).await;
    assert_eq!(paused.code, Some(0), "{paused:?}");
    poll::until("its batch to be paused", async || {
        let held = super::scan(&farm).await?.held;
        (held.len() == 1).then_some(())
    })
    .await;
    let _encoder = farm.join(farm.worker("e").encoders("libx264")).await;
    let refused = library(&farm, "scan", &[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("library resume films"),
        "{refused:?}"
    );
    let resumed = library(&farm, "resume", &[]).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    farm.completed(&other).await;
    reaches(&farm, "vp9.webm", FileStateKind::Done).await;

    let retried = farm.producer(["retry", &job.to_string()]).await;
    assert_eq!(retried.code, Some(0), "{retried:?}");
    let run: Run = farm.completed(&job).await.0;
    assert_eq!(run.job.id, job);
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
}
