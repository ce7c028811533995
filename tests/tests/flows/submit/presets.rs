//! Presets of the farm, and the default preset for jobs without a recipe.

use harness::farm::Farm;
use harness::process::Ran;
use harness::{paths, programs};
use serde_json::{Value, json};

async fn presets(farm: &Farm, line: &[&str]) -> Ran {
    let line = ["presets"].iter().chain(line);
    farm.producer(line).await
}

/// Enqueues a clip; returns the recipe of its job.
async fn recipe_of(farm: &Farm, clip: &str, options: &[&str]) -> Value {
    let clip = paths::media(clip);
    let line = ["enqueue", clip.to_str().unwrap(), "-o", "out", "--json"];
    let outcome = farm.producer(line.iter().chain(options)).await;
    let outcome = outcome.succeeded().json();
    let id = outcome["jobs"][0]["job"].as_str().unwrap().parse().unwrap();
    let record = farm.view.job(&id).await.unwrap().expect("it is there");
    serde_json::to_value(&record.job().recipe).unwrap()
}

#[tokio::test]
async fn a_preset_is_saved_used_overridden_and_removed() {
    let farm = Farm::start().await;
    let save = ["save", "ours", "--encoder", "libx264", "--crf", "30"];
    let more = ["--argument", "g=48", "--note", "for the tests"];
    let told = presets(&farm, &[&save[..], &more].concat()).await;
    let words = "saved ours: libx264, CRF 30, g=48, mkv";
    assert_eq!(told.succeeded().stdout.trim(), words);
    let twice = presets(&farm, &save).await;
    assert_eq!(twice.code, Some(1), "{twice:?}");
    assert!(
        twice.stderr.contains("--overwrite replaces it"),
        "{twice:?}"
    );

    let listed = presets(&farm, &["--json"]).await.succeeded().json();
    let listed = listed.as_array().expect("a list");
    let named = |name: &str| listed.iter().find(|one| one["name"] == name);
    let ours = named("ours").expect("it is listed");
    assert_eq!(ours["note"], "for the tests");
    assert_eq!(ours["built_in"], false);
    assert_eq!(named("small-av1").expect("it is listed")["built_in"], true);

    // The output of `show` is a file that --preset takes.
    let shown = presets(&farm, &["show", "ours"]).await.succeeded().stdout;
    std::fs::write(farm.folder().join("ours.toml"), shown).unwrap();
    let saved = recipe_of(&farm, "h264.mp4", &["--preset", "ours"]).await;
    assert_eq!(saved["video"]["encode"]["rate"], json!({ "crf": 30.0 }));
    let same = recipe_of(&farm, "vp9.webm", &["--preset", "ours.toml"]).await;
    assert_eq!(same, saved);
    let options = ["--preset", "ours", "--crf", "40", "--audio", "none"];
    let other = recipe_of(&farm, "hevc.mkv", &options).await;
    assert_eq!(other["video"]["encode"]["rate"], json!({ "crf": 40.0 }));
    assert_eq!(other["audio"], "none");
    assert_eq!(other["video"]["encode"]["arguments"], json!(["g=48"]));

    presets(&farm, &["remove", "ours"]).await.succeeded();
    let gone = farm.producer(["plan", "--preset", "ours"]).await;
    assert_eq!(gone.code, Some(2), "{gone:?}");
    assert!(gone.stderr.contains("there are 4k-hdr-hevc"), "{gone:?}");
    let built_in = presets(&farm, &["remove", "small-av1"]).await;
    assert_eq!(built_in.code, Some(1), "{built_in:?}");
}

#[tokio::test]
async fn jobs_without_a_recipe_get_the_farms_default() {
    let farm = Farm::start().await;
    let clip = paths::media("h264.mp4");
    let line = ["enqueue", clip.to_str().unwrap(), "-o", "out"];
    let refused = farm.producer(line).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--preset NAME"), "{refused:?}");

    let unknown = presets(&farm, &["default", "ours"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    presets(&farm, &["save", "ours", "--encoder", "libx264"])
        .await
        .succeeded();
    presets(&farm, &["default", "ours"]).await.succeeded();
    let held = presets(&farm, &["remove", "ours"]).await;
    assert_eq!(held.code, Some(1), "{held:?}");
    let worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let done = farm.producer(line.iter().chain(&["--wait"])).await;
    let told = done.succeeded().stderr;
    let words = "using the farm's default preset ours: libx264, mkv";
    assert!(told.contains(words), "{told}");
    assert!(farm.out().join("h264.mkv").is_file());
    drop(worker);

    // Options override the default, and an order with an encoder does not use it.
    let mended = recipe_of(&farm, "vp9.webm", &["--crf", "33"]).await;
    let expected = json!({ "with": { "encoder": "libx264" }, "rate": { "crf": 33.0 } });
    assert_eq!(mended["video"]["encode"], expected);
    let plan = farm.producer(["plan", "--codec", "av1"]).await.succeeded();
    assert!(!plan.stderr.contains("default preset"), "{plan:?}");
    presets(&farm, &["default", "--none"]).await.succeeded();
    let refused = farm.producer(["plan"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[tokio::test]
async fn built_in_presets_need_no_farm() {
    let folder = paths::test_folder();
    harness::farm::copy_into(&folder.path().join("in"), &[paths::media("h264.mp4")]);
    let encode = async |preset: &str| {
        let mut command = programs::command("producer", folder.path());
        command.args(["encode", "in", "-o", "out", "--preset", preset]);
        command.args(["--encoder", "libx264", "--encoder-preset", "ultrafast"]);
        harness::process::run(command).await
    };
    let unknown = encode("ours").await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("web-vp9 built in"), "{unknown:?}");
    encode("compatible-h264").await.succeeded();
    let made = harness::outside::media::Media::of(&folder.path().join("out/h264.mp4"));
    let codecs: Vec<&str> = made
        .streams
        .iter()
        .map(|stream| stream.codec.as_str())
        .collect();
    assert_eq!(codecs, ["h264", "aac"]);
}
