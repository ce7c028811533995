//! `producer sample`: short clips tell what the whole would take, alone and on the farm, and the clips are kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::browser::Browser;
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::process::Ran;
use harness::programs::Worker;
use harness::programs::monitor::{Method, TestMonitor};
use harness::{outside, paths, poll, process, programs};
use serde_json::{Value, json};

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

/// The folder of the clips: one below `place`.
fn folder_of(told: &Value, place: &Path) -> PathBuf {
    let clip = told["clips"][0]["output"].as_str().unwrap();
    let clip = Path::new(clip.strip_prefix("file://").unwrap());
    let folder = clip.parent().unwrap();
    assert_eq!(folder.parent().unwrap(), place.canonicalize().unwrap());
    folder.to_owned()
}

/// Checks what is told about three samples of the film against an encode of all of it.
async fn agrees_with_the_whole(told: &Value, clips: &Path, whole: &Path, film: &Path) {
    let clips = &folder_of(told, clips);
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

    // The same order makes its clips anew; another recipe has another folder.
    let again = run(&order).await.succeeded().json();
    assert_eq!(folder_of(&again, &clips), folder_of(&told, &clips));
    assert_eq!(outside::files(&clips).len(), 3);
    let better = run(&[order.as_slice(), &["--deband"]].concat()).await;
    let better = better.succeeded().json();
    assert_ne!(folder_of(&better, &clips), folder_of(&told, &clips));
    assert_eq!(outside::files(&clips).len(), 6);

    // A film that samples would cover is encoded whole, and a time beyond its end is refused.
    let all = run(&["sample", "film.mp4", "-o", "all"]).await.succeeded();
    assert!(all.stderr.contains("all of it is encoded"), "{all:?}");
    let made = outside::names(&home.path().join("all"));
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(made[0].ends_with("film.sample-whole.mkv"), "{made:?}");
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
    // The monitor tells the same of them.
    let monitor = TestMonitor::start(&farm).await;
    let shown = monitor.get(&format!("/api/v1/samples/{batch}")).await;
    let shown: Value = serde_json::from_str(&shown.unwrap()).unwrap();
    assert_eq!(shown["forecast"], told["forecast"]);
    let clips = shown["samples"].as_array().unwrap().iter();
    let clips: Vec<&Value> = clips.map(|sample| &sample["clip"]).collect();
    assert_eq!(json!(clips), told["clips"]);
}

/// A farm with a film, a worker that reaches it, and a monitor of its folder.
async fn with_monitor() -> (Farm, Worker, TestMonitor) {
    let farm = Farm::start().await;
    film(farm.folder());
    let worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let store = farm.folder().to_str().unwrap().to_owned();
    let monitor =
        TestMonitor::start_with(&farm, &farm.broker.url_for("monitor"), &["--store", &store]).await;
    (farm, worker, monitor)
}

async fn post(monitor: &TestMonitor, body: &Value) -> (u16, Value) {
    let answer = monitor.send(Method::POST, "/api/v1/samples", body).await;
    let (status, text) = answer;
    let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, answer)
}

/// The samples of a batch, once all have ended.
async fn sampled(monitor: &TestMonitor, batch: &Value) -> Value {
    let path = format!("/api/v1/samples/{}", batch.as_str().unwrap());
    poll::until("all samples", async || {
        let told: Value = serde_json::from_str(&monitor.get(&path).await?).unwrap();
        (told["done"] == true).then_some(told)
    })
    .await
}

#[tokio::test]
async fn the_api_samples_a_film_and_tells_the_whole() {
    let (farm, _worker, monitor) = with_monitor().await;
    let recipe = json!({ "video": { "encode": {
        "with": { "encoder": "libx264" }, "preset": "ultrafast", "rate": { "crf": 30 },
    } } });
    let order = json!({ "file": "film.mp4", "recipe": recipe, "length": 2 });
    let with = |name: &str, value: Value| {
        let mut order = order.clone();
        order[name] = value;
        order
    };
    let before = outside::files(farm.folder());
    for (body, status, why) in [
        (with("count", json!(0)), 422, "1 to 100 samples"),
        (with("count", json!(101)), 422, "1 to 100 samples"),
        (with("length", json!(0.5)), 422, "at least 1s"),
        (with("at", json!([50])), 422, "no sample at 50 s"),
        (with("at", json!([-1])), 422, "no sample at -1 s"),
        (with("file", json!("gone.mp4")), 404, "gone.mp4"),
        (with("worker", json!("nobody")), 422, "is not alive"),
    ] {
        let (told, answer) = post(&monitor, &body).await;
        assert_eq!(told, status, "{body}: {answer}");
        assert!(answer.to_string().contains(why), "{why}: {answer}");
    }
    let mut sized = order.clone();
    sized["recipe"]["video"]["encode"]["rate"] = json!({ "size": "1M" });
    let (status, answer) = post(&monitor, &sized).await;
    assert_eq!(status, 422, "{answer}");
    assert_eq!(farm.queued().await, 0);
    assert_eq!(outside::files(farm.folder()).len(), before.len());

    let (status, receipt) = post(&monitor, &order).await;
    assert_eq!(status, 200, "{receipt}");
    let told = sampled(&monitor, &receipt["batch"]).await;
    let samples = told["samples"].as_array().unwrap();
    let positions: Vec<f64> = samples
        .iter()
        .map(|sample| sample["from"].as_f64().unwrap())
        .collect();
    assert_eq!(positions, [5.667, 19.0, 32.333]);
    for sample in samples {
        assert_eq!(sample["state"], "completed", "{sample}");
        let clip = &sample["clip"];
        let path = clip["output"]
            .as_str()
            .unwrap()
            .strip_prefix("file://")
            .unwrap();
        let made = Media::of(Path::new(path));
        assert_eq!(made.frames(), 50, "{path}");
        let size = std::fs::metadata(path).unwrap().len();
        assert_eq!(clip["size"], size, "{clip}");
        assert!(clip["seconds"].as_f64().unwrap() > 0.0, "{clip}");
        assert!(clip["quality"]["score"].as_f64().unwrap() > 0.5, "{clip}");
    }
    let forecast = &told["forecast"];
    let rate = samples
        .iter()
        .map(|sample| sample["clip"]["size"].as_f64().unwrap());
    let whole = rate.sum::<f64>() / 6.0 * 40.0;
    let size = forecast["size"].as_f64().unwrap();
    assert!((size / whole - 1.0).abs() < 0.01, "{size} {whole}");
    let most = forecast["most"].as_f64().unwrap();
    assert!(forecast["least"].as_f64().unwrap() <= size && size <= most);

    // The same again finds the clips; another choice is in nobody's way.
    let (_, again) = post(&monitor, &order).await;
    assert_eq!(again["batch"], receipt["batch"]);
    assert_eq!(again["samples"][0]["added"], false, "{again}");
    let (_, shorter) = post(&monitor, &with("length", json!(1))).await;
    assert_ne!(shorter["batch"], receipt["batch"]);
    let added = shorter["samples"].as_array().unwrap().iter();
    assert!(
        added.clone().all(|sample| sample["added"] == true),
        "{shorter}"
    );
    sampled(&monitor, &shorter["batch"]).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    let (status, words) = monitor
        .refusal(&format!("/api/v1/samples/{}", job.batch))
        .await;
    assert_eq!(status, 404, "{words}");
}

#[tokio::test]
async fn the_page_samples_a_film_and_compares_its_clips() {
    let (farm, _worker, monitor) = with_monitor().await;
    let address = format!("{}/#/new", monitor.url());
    let mut browser = Browser::open(&address, farm.folder()).await;
    let disabled = "[...document.querySelectorAll('.new-jobs button')].find((one) => one.textContent === 'Sample').disabled";
    browser.until("nothing to sample", disabled).await;
    let choose = "(() => {
      const boxes = [...document.querySelectorAll('.entries li')];
      const film = boxes.find((one) => one.textContent.includes('film.mp4'))?.querySelector('input');
      if (!film) return false;
      if (!film.checked) film.click();
      return film.checked;
    })()";
    browser.until("the film to be chosen", choose).await;
    let with = "(() => {
      const field = document.querySelector('.new-jobs [name=with]');
      if (![...field.options].some((one) => one.value === 'libx264')) return false;
      field.value = 'libx264';
      field.dispatchEvent(new Event('change', { bubbles: true }));
      return true;
    })()";
    browser.until("the encoder", with).await;
    browser
        .until("a way to sample", &format!("!{disabled}"))
        .await;
    let press = "String([...document.querySelectorAll('.new-jobs button')].find((one) => one.textContent === 'Sample').click())";
    browser.evaluate(press).await;
    let is_there = "document.body.dataset.shown === 'samples'";
    browser.until("the page of the samples", is_there).await;
    browser.shows("encoded").await;
    browser.shows("The whole: about").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");

    let of = "[...document.querySelectorAll('.sheet tbody button')].filter((one) => !one.hidden)";
    // 40 s hold no three samples of 20 s: all of the film is one.
    browser
        .until("one clip", &format!("{of}.length === 1"))
        .await;
    browser.evaluate(&format!("String({of}[0].click())")).await;
    let loaded = "document.querySelector('.frame-slider').open \
                  && [...document.querySelectorAll('.frame-stage img')].every((image) => image.complete && image.naturalWidth === 320) \
                  && !document.querySelector('.frame-stage').hasAttribute('data-loading')";
    browser.until("both pictures", loaded).await;
    // Both show the same frame: the colours of a pattern that moves are alike.
    let apart = "(() => {
      const pixels = (one) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
        const context = canvas.getContext('2d');
        context.drawImage(one, 0, 0, 64, 36);
        return context.getImageData(0, 0, 64, 36).data;
      };
      const [a, b] = [...document.querySelectorAll('.frame-stage img')].map(pixels);
      return String(a.reduce((sum, value, nth) => sum + Math.abs(value - b[nth]), 0) / a.length);
    })()";
    let apart: f64 = browser.evaluate(apart).await.parse().unwrap();
    assert!(apart < 4.0, "{apart}");
    browser.picture("samples").await;
}
