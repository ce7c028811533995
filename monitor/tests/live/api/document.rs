//! The answers of the server are what its OpenAPI document says.

use common::farm::queue::Queue;
use common::job::Job;
use common::job::changes::{Change, Kind};
use common::job::event::{Event, What};
use common::job::failure::Failure;
use common::job::media_info::{MediaInfo, TrackInfo};
use common::job::progress::EncodeProgress;
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::recipe::Recipe;
use common::testing;
use harness::poll;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::schema::Document;
use crate::client::{get, send};
use crate::{Monitor, farm};

/// A recipe that says something of everything.
fn recipe() -> Recipe {
    let recipe = json!({
        "video": { "encode": {
            "with": { "first_of": ["libx265", "hevc_nvenc"] },
            "rate": { "bitrate": "4500k" },
            "bit_depth": 10,
            "hdr": "sdr",
            "chroma": "420",
            "scale": "1280x-2",
            "scale_up": true,
            "filters": "hqdn3d",
            "arguments": ["aq-mode=3"],
        } },
        "audio": { "copy_else": { "encoder": "libopus", "bitrate": "96k" } },
        "subtitles": "none",
        "captions": "srt",
        "container": "mkv",
        "refuse_loss": ["chapters", "hdr10"],
        "strict_input": true,
    });
    serde_json::from_value(recipe).expect("a sound recipe")
}

/// A job by that recipe.
fn job(name: &str) -> Job {
    let job = farm::job(name, "libx265", 9_000_000);
    Job::new(job.batch, job.input, job.output, recipe(), None)
}

/// A run that a worker has just claimed.
fn claimed(name: &str) -> Run {
    farm::claimed(job(name), "atelier")
}

/// What a completed job made: a track and a change of each kind.
fn report() -> Report {
    let media = MediaInfo {
        format: "matroska,webm".to_owned(),
        duration: Some(40.0),
        tracks: vec![
            TrackInfo::Video {
                codec: "hevc".to_owned(),
                width: 1280,
                height: 720,
                fps: Some(25.0),
                depth: 10,
            },
            TrackInfo::Audio {
                codec: "opus".to_owned(),
                channels: 6,
                language: Some("en".to_owned()),
            },
            TrackInfo::Subtitles {
                codec: "subrip".to_owned(),
                language: None,
            },
        ],
    };
    Report {
        input_media: Some(media.clone()),
        output_media: Some(media),
        changes: vec![
            Change::kept(Kind::Chapters, None, "3 chapters"),
            Change::converted(Kind::Layout, 1, "5.1", "stereo", "webm"),
            Change::lost(Kind::DolbyVision, 0, "profile 8.1", "libx265 writes none").wanted(),
        ],
        warnings: vec!["the source is damaged".to_owned()],
        ..farm::report("atelier", "libx265")
    }
}

/// A run in each state.
fn runs() -> Vec<Run> {
    let now = Timestamp::now();
    let failure = |reason: &str| Failure::worker(reason).with_log(vec!["[h264] error".to_owned()]);
    let publishing = claimed("published.mkv").enter(Stage::Publishing, now);
    let unclaimed = {
        let job = job("unclaimed.mkv");
        let lane = farm::lane(&job, 5);
        Run::unclaimed(job, &lane, now)
    };
    vec![
        claimed("running.mkv"),
        publishing.fence(testing::fence("atelier", "an upload"), now),
        claimed("completed.mkv").complete(report(), now),
        claimed("waiting.mkv").fail(failure("no memory"), SignedDuration::from_hours(1), now),
        claimed("failed.mkv").fail(Failure::input("no video"), SignedDuration::ZERO, now),
        claimed("returned.mkv").release(now),
        claimed("cancelled.mkv").cancel(now).expect("it runs"),
        unclaimed,
    ]
}

/// Everything that can happen to a job.
fn history(job: &Job) -> Vec<Event> {
    let worker = || "atelier".parse().expect("a name");
    let queue: Queue = "on_atelier".parse().expect("a queue");
    let failure = Failure::passing("no network");
    let all = [
        What::Queued,
        What::Claimed(worker()),
        What::Command("ffmpeg -i in.mkv out.mkv".to_owned()),
        What::Progress(EncodeProgress::default()),
        What::Released(worker()),
        What::Moved(queue),
        What::Requeued,
        What::Retried(failure.clone()),
        What::Completed(Box::new(report())),
        What::Failed(failure),
        What::Cancelled,
    ];
    all.into_iter()
        .map(|what| Event {
            job: job.id,
            attempt: 1,
            at: Timestamp::now(),
            what,
            priority: Some(farm::lane(job, 9).priority),
        })
        .collect()
}

async fn document(monitor: &Monitor) -> Document {
    let answer = get(&monitor.address, "/api/v1/openapi.json", "").await;
    Document(answer.json())
}

/// What is wrong with the answer to a request, by the document.
async fn wrong(
    monitor: &Monitor,
    document: &Document,
    method: &str,
    route: &str,
    path: &str,
    body: &Value,
) -> Option<String> {
    let operation = &document.0["paths"][route][method.to_lowercase()];
    let answer = match method {
        "GET" => get(&monitor.address, path, "").await,
        _ => send(&monitor.address, method, path, "", body).await,
    };
    let status = answer.status;
    let checked = match document.answer(operation, status) {
        Some(schema) => document.check(&schema, &answer.json()),
        None => Err(format!("status {status} is not in the document")),
    };
    let why = checked.err()?;
    Some(format!("{method} {path}: {why}: {}", answer.body))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_schema_of_the_document_says_what_an_object_holds() {
    let monitor = Monitor::start().await;
    let document = document(&monitor).await;
    assert_eq!(document.bare(), Vec::<String>::new());
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_the_document_says() {
    let monitor = Monitor::start().await;
    let document = document(&monitor).await;
    monitor.heartbeat("atelier", Vec::new()).await;
    let runs = runs();
    for run in &runs {
        farm::write_run(&monitor.broker, run).await;
    }
    let pending = job("pending.mkv");
    let lane = farm::lane(&pending, 5);
    let enqueued = monitor
        .broker
        .enqueue(&[(pending.clone(), lane)], |_| {})
        .await;
    enqueued.expect("enqueued");
    monitor.keep_batch(&pending, "a batch").await;
    let events = history(&pending);
    for event in &events {
        monitor.broker.record_event(event).await;
    }
    let mut found = Vec::new();
    let mut ask = async |method: &str, route: &str, path: &str, body: Value| {
        found.extend(wrong(&monitor, &document, method, route, path, &body).await);
    };

    let preset = json!({ "recipe": recipe(), "note": "for films" });
    let route = "/api/v1/presets/{preset}";
    ask("PUT", route, "/api/v1/presets/ours", preset).await;
    let route = "/api/v1/plan";
    ask("POST", route, route, json!({ "recipe": recipe() })).await;
    poll::until("all jobs to be listed", async || {
        let page = get(&monitor.address, "/api/v1/jobs", "").await.json();
        (page["total"] == runs.len() + 1).then_some(())
    })
    .await;
    poll::until("the history to be kept", async || {
        let kept = monitor.broker.events(&pending.id).await.ok()?;
        (kept.len() >= events.len()).then_some(())
    })
    .await;
    for route in [
        "/api/v1/state",
        "/api/v1/jobs",
        "/api/v1/jobs/ids",
        "/api/v1/batches",
        "/api/v1/history",
        "/api/v1/settings",
        "/api/v1/controls",
        "/api/v1/vocabulary",
        "/api/v1/jetstream",
        "/api/v1/session",
        "/api/v1/store",
    ] {
        ask("GET", route, route, Value::Null).await;
    }
    let jobs = runs.iter().map(|run| run.job.id).chain([pending.id]);
    for id in jobs {
        let path = format!("/api/v1/jobs/{id}");
        ask("GET", "/api/v1/jobs/{job}", &path, Value::Null).await;
        let route = "/api/v1/jobs/{job}/media";
        ask("GET", route, &format!("{path}/media"), Value::Null).await;
    }
    let body = json!({ "jobs": [pending.id] });
    for verb in ["fit", "cancel", "retry"] {
        let route = format!("/api/v1/jobs/{verb}");
        ask("POST", &route, &route, body.clone()).await;
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    monitor.stop().await;
}
