//! `producer sample`: short clips tell what the whole would take, alone and on the farm, and the clips are kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::farm::Farm;
use harness::outside::media::Media;
use harness::process::Ran;
use harness::{outside, paths, process, programs};
use serde_json::Value;

const RECIPE: [&str; 6] = [
    "--encoder",
    "libx264",
    "--encoder-preset",
    "ultrafast",
    "--crf",
    "30",
];

/// A film of 40 s that is alike from its beginning to its end.
fn film(folder: &Path) -> PathBuf {
    let film = folder.join("film.mp4");
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25",
        ])
        .args(["-f", "lavfi", "-i", "sine", "-t", "40", "-c:v", "libx264"])
        .args(["-preset", "ultrafast", "-c:a", "aac"])
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    film
}

/// Checks what is told about three samples of the film against an encode of all of it.
async fn agrees_with_the_whole(told: &Value, clips: &Path, whole: &Path, film: &Path) {
    let names = [
        "film.sample-00h00m05.667s.mkv",
        "film.sample-00h00m19s.mkv",
        "film.sample-00h00m32.333s.mkv",
    ];
    let made: Vec<PathBuf> = outside::names(clips);
    assert_eq!(made, names.map(PathBuf::from));
    for clip in names {
        let clip = Media::of(&clips.join(clip));
        assert_eq!((clip.frames(), clip.streams.len()), (50, 2));
    }
    let (size, real) = (
        &told["forecast"]["size"],
        std::fs::metadata(whole).unwrap().len(),
    );
    let off = size.as_f64().unwrap() / real as f64 - 1.0;
    assert!(off.abs() < 0.1, "{size} of {real}");
    let saving = told["forecast"]["saving"].as_f64().unwrap() / 100.0;
    let before = std::fs::metadata(film).unwrap().len();
    assert!(
        (saving - (1.0 - real as f64 / before as f64)).abs() < 0.1,
        "{saving}"
    );
    let score = told["forecast"]["lowest"]["score"].as_f64().unwrap();
    assert!(
        score > 0.8 && told["clips"][0]["quality"]["metric"] == "ssim" || score > 20.0,
        "{told}"
    );
    assert_eq!(told["clips"].as_array().unwrap().len(), 3);
    assert!(told["forecast"]["seconds"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn samples_tell_the_size_of_the_whole_without_a_server() {
    let home = paths::test_folder();
    let film = film(home.path());
    let run = async |arguments: &[&str]| -> Ran {
        let mut command = programs::command("producer", home.path());
        command.args(arguments).args(RECIPE);
        process::run(command).await
    };
    let order = [
        "sample", "film.mp4", "--length", "2s", "-o", "clips", "--json",
    ];
    let told = run(&order).await.succeeded().json();
    run(&["encode", "film.mp4", "-o", "whole"])
        .await
        .succeeded();
    let (clips, whole) = (
        home.path().join("clips"),
        home.path().join("whole/film.mkv"),
    );
    agrees_with_the_whole(&told, &clips, &whole, &film).await;

    // Clips are not replaced by accident.
    let before = outside::files(&clips);
    let again = run(&order).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("--overwrite"), "{again:?}");
    assert_eq!(outside::files(&clips), before);

    // A film that samples would cover is encoded whole, and a time beyond its end is refused.
    let all = run(&["sample", "film.mp4", "-o", "all"]).await.succeeded();
    assert!(all.stderr.contains("all of it is encoded"), "{all:?}");
    assert_eq!(
        outside::names(&home.path().join("all")),
        [Path::new("film.sample-whole.mkv")]
    );
    let beyond = run(&["sample", "film.mp4", "-o", "none", "--at", "50s"]).await;
    assert!(beyond.stderr.contains("no sample at 50 s"), "{beyond:?}");
    let size = run(&["sample", "film.mp4", "-o", "none", "--set", "rate.size=1M"]).await;
    assert_ne!(size.code, Some(0), "{size:?}");
}

#[tokio::test]
async fn samples_on_a_farm_are_one_batch() {
    let farm = Farm::start().await;
    let film = film(farm.folder());
    let _worker = farm.join(farm.worker("w")).await;
    let (clips, whole) = (farm.folder().join("clips"), farm.folder().join("whole"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let order = async |arguments: &[&str]| farm.producer([arguments, &RECIPE].concat()).await;
    let (film_path, clips_path, whole_path) = (path(&film), path(&clips), path(&whole));
    let sample = [
        "sample",
        &film_path,
        "--length",
        "2s",
        "-o",
        &clips_path,
        "--json",
    ];
    let told = order(&sample).await.succeeded().json();
    order(&["enqueue", &film_path, "-o", &whole_path, "--wait"])
        .await
        .succeeded();
    agrees_with_the_whole(&told, &clips, &whole.join("film.mkv"), &film).await;
    let batch = told["batch"].as_str().unwrap();
    let shown = farm.producer(["batch", batch, "--json"]).await.succeeded();
    assert!(shown.stdout.contains("samples of film.mp4"), "{shown:?}");
    // The same order finds what was made.
    let again = order(&sample).await.succeeded().json();
    assert_eq!(again["clips"], told["clips"]);
}
