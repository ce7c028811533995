//! Whose files a worker's scratch folder holds, and who may touch them.

use std::path::Path;

use harness::farm::Farm;
use harness::{outside, process, programs};

/// A folder with a film in it, called as a worker could be.
fn film(farm: &Farm) -> std::path::PathBuf {
    let film = farm.folder().join("me/videos/holiday.mkv");
    std::fs::create_dir_all(film.parent().unwrap()).unwrap();
    std::fs::write(&film, "film").unwrap();
    film
}

/// Everything below the farm's folder but what its broker and programs log.
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
async fn a_folder_called_as_the_worker_survives_checks_and_workers() {
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
async fn a_check_only_looks_also_beside_a_worker() {
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
