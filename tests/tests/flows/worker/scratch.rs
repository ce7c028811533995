//! Which files a worker's scratch folder holds, and which of them a worker may change.

use std::path::Path;

use harness::farm::Farm;
use harness::{outside, process, programs};

/// A film in a folder with a name that a worker could have.
fn film(farm: &Farm) -> std::path::PathBuf {
    let film = farm.folder().join("me/videos/holiday.mkv");
    std::fs::create_dir_all(film.parent().unwrap()).unwrap();
    std::fs::write(&film, "film").unwrap();
    film
}

/// All files of the farm's folder, without those of its broker and the logs.
fn everything(farm: &Farm) -> Vec<std::path::PathBuf> {
    let mut names = outside::names(farm.folder());
    names.retain(|name| {
        name.extension().is_none_or(|extension| extension != "log")
            && !name.starts_with("jetstream")
            && !name.starts_with("nats")
    });
    names
}

async fn check_config(farm: &Farm, scratch: &Path, name: &str) -> process::Ran {
    let mut command = programs::command("worker", farm.folder());
    command.args(["check-config", "--nats", farm.url(), "--name", name]);
    command.arg("--scratch").arg(scratch);
    process::run(command).await
}

#[tokio::test]
async fn a_folder_with_the_name_of_a_worker_survives_checks_and_workers() {
    let farm = Farm::start().await;
    let film = film(&farm);
    let me = farm.folder().join("me");
    check_config(&farm, &me, "videos").await.succeeded();
    assert_eq!(std::fs::read(&film).unwrap(), b"film");

    let setup = farm.worker("videos").encoders("libx264");
    let mut worker = farm.join(setup.option("--scratch", &me)).await;
    assert_eq!(std::fs::read(&film).unwrap(), b"film");
    worker.process.signal(process::Signal::TERM);
    assert!(worker.process.wait().await.success());
    assert_eq!(std::fs::read(&film).unwrap(), b"film");
    let left = [Path::new("videos/holiday.mkv")];
    assert_eq!(outside::scratch_files(&me), left);
}

#[tokio::test]
async fn a_check_changes_nothing_also_beside_a_running_worker() {
    let farm = Farm::start().await;
    let before = everything(&farm);
    let ran = check_config(&farm, &farm.scratch(), "w").await.succeeded();
    assert!(ran.stdout.contains("scratch"), "{ran:?}");
    assert_eq!(everything(&farm), before);
    assert!(!farm.scratch().exists());

    let mut capabilities = programs::command("worker", farm.folder());
    capabilities.args(["capabilities", "--encoders", "libx264"]);
    process::run(capabilities).await.succeeded();
    assert_eq!(everything(&farm), before);
    assert!(!farm.folder().join("cache").exists());

    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let before = everything(&farm);
    check_config(&farm, &farm.scratch(), "w").await.succeeded();
    assert_eq!(everything(&farm), before);
}

#[tokio::test]
async fn a_folder_without_the_marker_is_refused_by_check_and_worker_alike() {
    let farm = Farm::start().await;
    let film = farm.scratch_of("w").join("film.mkv");
    std::fs::create_dir_all(film.parent().unwrap()).unwrap();
    std::fs::write(&film, "film").unwrap();
    let ran = check_config(&farm, &farm.scratch(), "w").await;
    assert!(
        ran.code != Some(0) && ran.stderr.contains("no marker"),
        "{ran:?}"
    );
    let mut worker = farm.worker("w").encoders("libx264").spawn();
    assert!(!worker.process.wait().await.success());
    assert_eq!(std::fs::read(&film).unwrap(), b"film");
}

/// A worker named `w`, with a scratch folder of its own.
fn namesake(farm: &Farm, scratch: &str) -> programs::Worker {
    let setup = farm.worker("w").encoders("libx264");
    setup
        .option("--scratch", farm.folder().join(scratch))
        .spawn()
}

#[tokio::test]
async fn two_workers_of_one_name_never_run_at_once() {
    let farm = Farm::start().await;
    let mut first = namesake(&farm, "one");
    farm.ready(&mut first).await;
    let mut second = namesake(&farm, "two");
    assert_eq!(second.process.wait().await.code(), Some(2));
    assert!(first.process.ended().is_none());

    // A killed worker frees its name at once, whatever its last heartbeat says.
    first.process.kill();
    let mut third = namesake(&farm, "three");
    farm.ready(&mut third).await;
    third.process.kill();

    // Of two workers that start at once, one stays.
    let mut both = [namesake(&farm, "four"), namesake(&farm, "five")];
    let ended = harness::poll::until("one of them to be refused", async || {
        both.iter_mut().find_map(|worker| worker.process.ended())
    })
    .await;
    assert_eq!(ended.code(), Some(2));
    let mut left: Vec<_> = both
        .iter_mut()
        .filter_map(|worker| {
            let lives = worker.process.ended().is_none();
            lives.then_some(worker)
        })
        .collect();
    assert_eq!(left.len(), 1);
    farm.ready(left[0]).await;
}
