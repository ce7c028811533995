//! `producer check`: damaged files are told with their places, alone and on the farm, and nothing is written.

mod bucket;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::Job;
use common::job::id::BatchId;
use common::job::kind::CheckDepth;
use common::job::run::RunState;
use common::job::work::Work;
use harness::farm::Farm;
use harness::process::Ran;
use harness::{outside, paths, poll, process, programs};
use serde_json::Value;

/// A folder with a healthy film, a damaged one, and a text that says it is a film.
fn films(folder: &Path) -> PathBuf {
    let films = folder.join("films");
    harness::farm::copy_into(
        &films,
        &[paths::media("h264.mp4"), paths::clip("bigbuckbunny.mp4")],
    );
    let long = films.join("bigbuckbunny.mp4");
    let cut = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&long)
        .args(["-c", "copy", "-movflags", "+faststart"])
        .arg(films.join("damaged.mp4"))
        .status();
    assert!(cut.unwrap().success());
    std::fs::remove_file(long).unwrap();
    let damaged = films.join("damaged.mp4");
    let bytes = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() * 6 / 10]).unwrap();
    std::fs::write(films.join("text.mkv"), "no film at all").unwrap();
    films
}

/// What became of each file, by its name.
fn states(ran: &Ran) -> Vec<(String, String)> {
    let told = ran.json();
    let files = told["files"].as_array().unwrap();
    let text = |file: &Value, key: &str| file[key].as_str().unwrap().to_owned();
    files
        .iter()
        .map(|file| (text(file, "file"), text(file, "state")))
        .collect()
}

fn expected() -> Vec<(String, String)> {
    let states = [
        ("damaged.mp4", "damaged"),
        ("h264.mp4", "healthy"),
        ("text.mkv", "damaged"),
    ];
    states
        .map(|(file, state)| (file.to_owned(), state.to_owned()))
        .into()
}

#[tokio::test]
async fn damage_is_told_without_a_server_and_nothing_is_written() {
    let home = paths::test_folder();
    let films = films(home.path());
    let before = outside::files(&films);
    let check = |options: &[&str]| {
        let mut command = programs::command("producer", home.path());
        command.args(["check", "films"]).args(options);
        process::run(command)
    };
    let ran = check(&[]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("damaged.mp4: 0:00:0"), "{lines:?}");
    assert!(
        ran.stdout.contains("–0:00:05 the file breaks off"),
        "{lines:?}"
    );
    assert!(
        ran.stdout.contains("text.mkv: this is no media"),
        "{lines:?}"
    );
    assert_eq!(lines.last(), Some(&"3 files: 1 healthy, 2 damaged"));
    let ran = check(&["--quick", "--json"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(states(&ran), expected());
    assert_eq!(outside::files(&films), before);
    poll::until("all that the command started to be gone", async || {
        outside::processes_of(home.path()).is_empty().then_some(())
    })
    .await;
    let mut healthy = programs::command("producer", home.path());
    healthy.args(["check", "films/h264.mp4"]);
    process::run(healthy).await.succeeded();
}

#[tokio::test]
async fn a_farm_remembers_what_was_checked_and_owns_no_output() {
    let farm = Farm::start().await;
    let films = films(farm.folder());
    let before = outside::files(&films);
    let _worker = farm.join(farm.worker("w")).await;
    let films = films.to_str().unwrap().to_owned();
    let check = async |options: &[&str]| {
        let ran = farm
            .producer([&["check", &films, "--json"], options].concat())
            .await;
        let batch = ran.json()["files"][0]["job"].clone();
        (ran, batch)
    };
    let (ran, first) = check(&["--wait"]).await;
    assert_eq!((ran.code, states(&ran)), (Some(1), expected()), "{ran:?}");
    // A file that has not changed is not checked again, unless a person wants it.
    let (ran, second) = check(&[]).await;
    assert_eq!((ran.code, states(&ran)), (Some(1), expected()), "{ran:?}");
    assert_eq!(first, second);
    let (ran, third) = check(&["--wait", "--again"]).await;
    assert_eq!(states(&ran), expected(), "{ran:?}");
    assert_ne!(first, third);
    // There is nothing to download of checks, and that is said.
    let job = first.as_str().unwrap();
    let known = farm.producer(["job", job, "--json"]).await.succeeded();
    let known = known.json().to_string();
    let batch = known.split("\"batch\":\"").nth(1).unwrap();
    let batch = batch.split('"').next().unwrap().to_owned();
    let downloaded = farm.producer(["download", &batch, "results"]).await;
    assert_ne!(downloaded.code, Some(0), "{downloaded:?}");
    assert!(
        downloaded
            .stderr
            .contains("holds checks, which write nothing"),
        "{downloaded:?}"
    );
    let shown = farm
        .producer(["job", first.as_str().unwrap()])
        .await
        .succeeded();
    assert!(
        shown.stdout.contains("damaged   0:00:0"),
        "{}",
        shown.stdout
    );
    assert_eq!(outside::files(Path::new(&films)), before);
    // An encode to the place of a file that is checked is not refused because of the check.
    let film = PathBuf::from(&films).join("h264.mp4");
    let moved = farm.folder().join("moved.mp4");
    std::fs::rename(&film, &moved).unwrap();
    let made = farm
        .producer([
            "enqueue",
            moved.to_str().unwrap(),
            "-o",
            &films,
            "--encoder",
            "libx264",
            "--container",
            "mp4",
            "--wait",
        ])
        .await;
    made.succeeded();
}

#[tokio::test]
async fn a_file_that_has_changed_is_not_judged_by_its_old_version() {
    let farm = Farm::start().await;
    let film = films(farm.folder()).join("h264.mp4");
    let input = farm.job(&film, "libx264").input;
    let work = Work::check(input, CheckDepth::Full);
    let job = Job::of(BatchId::new(), work, None);
    farm.enqueue(&job).await;
    let mut bytes = std::fs::read(&film).unwrap();
    bytes.extend(b"more");
    std::fs::write(&film, bytes).unwrap();
    let _worker = farm.join(farm.worker("w")).await;
    let run = farm.ended(&job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:?}");
    };
    assert!(
        failure
            .message
            .contains("has changed since it was enqueued"),
        "{failure}"
    );
}
