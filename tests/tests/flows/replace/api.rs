//! Replacements that are ordered through the HTTP API, and undone through it.

use std::path::Path;

use common::job::id::JobId;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::paths;
use harness::programs::monitor::{Method, TestMonitor};
use serde_json::{Value, json};

use super::{batch_in, names, seen};

async fn post(monitor: &TestMonitor, path: &str, body: &Value) -> (u16, Value) {
    let (status, text) = monitor
        .send(Method::POST, &format!("/api/v1/{path}"), body)
        .await;
    let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, answer)
}

fn order(files: &[&str]) -> Value {
    let encode = json!({ "with": { "encoder": "libx264" }, "preset": "ultrafast" });
    json!({ "files": files, "recipe": { "video": { "encode": encode } } })
}

fn job(receipt: &Value, nth: usize) -> JobId {
    let file = &receipt["files"][nth];
    assert_eq!(file["added"], true, "{receipt:#}");
    file["job"].as_str().expect("an id").parse().unwrap()
}

/// The trash that holds a batch.
fn kept(trash: &Path, batch: &Value) -> Vec<String> {
    let files = trash.join(".ffmpeg-easy-trash");
    let files = files.join(batch.as_str().unwrap()).join("files");
    names(&files)
}

#[tokio::test]
async fn the_api_replaces_and_undoes() {
    let farm = Farm::start().await;
    let films = farm.folder_of(
        "films",
        &[paths::media("h264.mp4"), paths::media("tracks.mkv")],
    );
    std::fs::create_dir(films.join("sub")).unwrap();
    std::fs::rename(films.join("tracks.mkv"), films.join("sub/tracks.mkv")).unwrap();
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films]);
    let _worker = farm.join(setup).await;
    let store = films.to_str().unwrap();
    let monitor =
        TestMonitor::start_with(&farm, &farm.broker.url_for("monitor"), &["--store", store]).await;

    // What makes no sense is refused, and nothing is enqueued.
    let plain = order(&["h264.mp4"]);
    let with = |name: &str, value: Value| {
        let mut body = plain.clone();
        body["replace"] = json!({});
        body[name] = value;
        body
    };
    for (body, why) in [
        (plain.clone(), "give either output or replace"),
        (
            with("output", json!("out")),
            "give either output or replace",
        ),
        (with("replace", json!({ "days": 0 })), "days are 1 to 3650"),
        (
            with("replace", json!({ "days": 3651 })),
            "days are 1 to 3650",
        ),
        (with("replace", json!({ "days": -1 })), "days"),
        (with("replace", json!({ "day": 3 })), "unknown field"),
        (with("replace", json!({ "hard_links": "keep" })), "keep"),
        (with("replace", json!({ "trash": "bin" })), "is no place"),
        (
            with("replace", json!({ "trash": "s3://bin" })),
            "cannot go to the trash",
        ),
        (
            with("renditions", json!(["1080p", "720p"])),
            "replace needs one output",
        ),
        (
            with("rules", json!({ "min_saving": 5, "original": "copy" })),
            "stays in its place",
        ),
        (
            with("files", json!([".ffmpeg-easy-trash/b/files/h264.mp4"])),
            "is in a trash",
        ),
    ] {
        let (status, answer) = post(&monitor, "jobs", &body).await;
        assert_eq!(status, 422, "{body}: {answer}");
        assert!(answer.to_string().contains(why), "{why}: {answer}");
    }
    assert_eq!(farm.queued().await, 0);
    assert_eq!(seen(&films), before);

    let mut body = order(&["h264.mp4", "sub/tracks.mkv"]);
    body["replace"] = json!({ "days": 3 });
    let (status, receipt) = post(&monitor, "jobs", &body).await;
    assert_eq!(status, 200, "{receipt}");
    let jobs = [job(&receipt, 0), job(&receipt, 1)];
    for id in &jobs {
        let (run, report) = farm.completed(id).await;
        let replaced = report.replaced.expect("replaced");
        let replacement = run.job.replacement.expect("asked for");
        assert_eq!(replacement.days, 3);
        assert!(replaced.original.is_below(&replacement.trash));
    }
    assert_eq!(names(&films), ["h264.mkv", "sub/tracks.mkv"]);
    let tracks = std::fs::read(films.join("sub/tracks.mkv")).unwrap();
    let original = std::fs::read(paths::media("tracks.mkv")).unwrap();
    assert_ne!(tracks, original, "the name of the source, another file");
    assert_eq!(batch_in(&films), receipt["batch"]);
    assert_eq!(
        kept(&films, &receipt["batch"]),
        ["h264.mp4", "sub/tracks.mkv"]
    );

    let (status, undone) = post(&monitor, "jobs/undo", &json!({ "jobs": jobs })).await;
    assert_eq!(status, 200, "{undone}");
    assert_eq!(
        seen(&films),
        before,
        "bytes, times and permissions: {undone}"
    );
    for id in &jobs {
        let run = farm.run(id).await.unwrap();
        assert_eq!(run.state, RunState::Cancelled);
    }
    let (_, again) = post(&monitor, "jobs", &body).await;
    assert_eq!(again["batch"], Value::Null, "{again:#}");
    assert_eq!(seen(&films), before, "nothing does it again by itself");
}

#[tokio::test]
async fn the_api_replaces_one_name_of_several_only_if_it_is_told_to() {
    let farm = Farm::start().await;
    let clips = ["h264.mp4", "tracks.mkv"];
    let films = farm.folder_of("films", &clips.map(paths::media));
    let bin = farm.folder().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in clips {
        std::fs::hard_link(films.join(name), farm.folder().join(name)).unwrap();
    }
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films, &bin]);
    let _worker = farm.join(setup).await;
    let store = films.to_str().unwrap();
    let monitor =
        TestMonitor::start_with(&farm, &farm.broker.url_for("monitor"), &["--store", store]).await;
    let mut body = order(&["tracks.mkv"]);
    body["replace"] = json!({});
    let (_, receipt) = post(&monitor, "jobs", &body).await;
    let run = farm.ended(&job(&receipt, 0)).await;
    assert!(matches!(run.state, RunState::Failed { .. }), "{run:?}");
    assert_eq!(seen(&films), before);

    let mut body = order(&["h264.mp4"]);
    body["replace"] = json!({ "hard_links": "replace", "trash": bin });
    let (_, receipt) = post(&monitor, "jobs", &body).await;
    let id = job(&receipt, 0);
    let (run, _) = farm.completed(&id).await;
    assert_eq!(run.job.replacement.expect("asked for").days, 30);
    assert_eq!(names(&films), ["h264.mkv", "tracks.mkv"]);
    assert_eq!(batch_in(&bin), receipt["batch"]);
    let (_, undone) = post(&monitor, "jobs/undo", &json!({ "jobs": [id] })).await;
    assert_eq!(seen(&films), before, "{undone}");
}
