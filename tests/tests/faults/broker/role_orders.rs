//! People steer the farm by the producer and by the monitor's page, each with the rights of its own user and no more.

use common::farm::worker::WorkerStatus;
use common::job::run::{Run, RunState};
use common::library::file::FileStateKind;
use common::names::subject;
use harness::farm::{Farm, recipe};
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::{Daemon, Signal};
use harness::programs::Worker;
use harness::programs::monitor::{Method, TestMonitor};
use harness::servers::broker::TestBroker;
use harness::servers::receiver::Receiver;
use harness::{paths, poll, programs};
use serde_json::{Value, json};

use super::roles::{producer, refuses, violations};

/// A farm on a broker with the shipped roles, a worker, and the ffmpeg of that worker.
async fn farm() -> (Farm, Worker, StandIn) {
    let folder = paths::test_folder();
    let broker = TestBroker::start_with_roles(folder.path()).await;
    producer(&broker, folder.path(), "admin", &["setup"])
        .await
        .succeeded();
    let farm = Farm::with_roles(broker, folder).await;
    let ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    let worker = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let worker = worker.option("--nats", farm.broker.url_for("worker"));
    let worker = farm.join(worker).await;
    (farm, worker, ffmpeg)
}

/// Waits until the worker has drained. It has heard all earlier orders by then: it reads them in the order in which
/// they were given.
async fn has_drained(farm: &Farm) {
    poll::until("the worker to have drained", async || {
        let heartbeat = farm.heartbeat("w").await?;
        (heartbeat.status == WorkerStatus::Drained).then_some(())
    })
    .await;
}

/// Waits until these are the files of the library `films`, and all of them are done.
async fn keeps(farm: &Farm, files: &[&str]) {
    let name = "films".parse().expect("a name");
    poll::until("the library to be done", async || {
        let found = farm.view.files_of(&name).await.ok()?;
        let done = found
            .iter()
            .filter(|file| file.state.kind() == FileStateKind::Done);
        (found.len() == files.len() && done.count() == files.len()).then_some(())
    })
    .await;
}

fn is_running(run: &Run) -> bool {
    matches!(run.state, RunState::Running { .. })
}

/// The broker refused nothing so far.
fn nothing_is_refused(farm: &Farm) {
    let refused = violations(farm.folder());
    assert_eq!(refused, Vec::<String>::new(), "rights are missing");
}

/// The broker refuses what neither the producer nor the monitor ever needs.
async fn the_rest_is_refused(farm: &Farm, role: &str) {
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    for subject in [
        subject::kv(subject::WORKERS, "w"),
        format!("dead.libx264.{}", job.id),
        format!("progress.{}", job.id),
        "owner.w".to_owned(),
        "wake.libx264".to_owned(),
        "$JS.API.STREAM.DELETE.JOBS".to_owned(),
        "$JS.API.STREAM.PURGE.JOBS".to_owned(),
        "$JS.API.STREAM.CREATE.FOREIGN".to_owned(),
        "$JS.API.CONSUMER.DELETE.JOBS.libx264_p5".to_owned(),
        "$JS.API.CONSUMER.MSG.NEXT.JOBS.libx264_p5".to_owned(),
    ] {
        refuses(farm, role, &subject).await;
    }
}

#[tokio::test]
async fn a_producer_gives_every_order_with_its_own_rights() {
    let (farm, _worker, mut ffmpeg) = farm().await;
    let home = farm.folder().to_owned();
    let order = async |arguments: &[&str]| {
        let ran = producer(&farm.broker, &home, "producer", arguments).await;
        ran.succeeded()
    };

    for arguments in [
        &["presets", "save", "small", "--encoder", "libx264"][..],
        &["presets", "default", "small"],
        &["presets", "show", "small"],
        &["hooks", "add", "ours", "http://127.0.0.1:9/"],
        &["hooks"],
        &["hooks", "remove", "ours"],
        &["pause", "--queue", "libx264"],
        &["drain", "w"],
    ] {
        order(arguments).await;
    }
    has_drained(&farm).await;
    order(&["resume", "w"]).await;
    // No encoder is named: the jobs have the recipe of the default preset.
    let folder = farm.folder_of("in", &["h264.mp4", "hevc.mkv"].map(paths::media));
    order(&["enqueue", folder.to_str().unwrap(), "-o", "out"]).await;
    let records = farm.view.jobs(true).await.unwrap();
    let [first, second] = records.as_slice() else {
        panic!("two jobs: {records:#?}")
    };
    let batch = first.job().batch.to_string();
    let (first, second) = (first.job().id, second.job().id);
    let id = first.to_string();
    ffmpeg.set_fault(Fault::Held);
    for arguments in [
        &["why", &id][..],
        &["reprioritize", &id, "--to", "9"],
        &["pause", "--batch", &batch],
        &["resume", "--batch", &batch],
        &["cancel", &id],
        &["retry", &id],
        &["reassign", &id, "--to", "w"],
    ] {
        order(arguments).await;
    }
    farm.run_that(&first, "running", is_running).await;
    // A worker at work hears the orders too.
    for arguments in [
        &["why", &id][..],
        &["reassign", &id, "--auto"],
        &["cancel", &id],
    ] {
        order(arguments).await;
    }
    let run = farm.ended(&first).await;
    assert!(matches!(run.state, RunState::Cancelled), "{run:#?}");
    ffmpeg.recover();
    for arguments in [
        &["hours", "w", "00:00-24:00"][..],
        &["hours", "w", "--clear"],
        &["drain", "w"],
        &["resume", "w"],
        &["resume", "--queue", "libx264"],
        &["retry", &id],
    ] {
        order(arguments).await;
    }
    for job in [first, second] {
        farm.completed(&job).await;
    }
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let films = films.to_str().unwrap();
    let library = [
        "library",
        "add",
        "films",
        films,
        "-o",
        "kept",
        "--encoder",
        "libx264",
    ];
    let quick = ["--settle", "0s", "--every", "1s", "--verify-per-day", "1"];
    order(&[&library[..], &quick].concat()).await;
    keeps(&farm, &["h264.mp4"]).await;
    for arguments in [
        &["library", "list"][..],
        &["library", "show", "films"],
        &["library", "files", "films"],
        &["library", "edit", "films", "--priority", "7"],
        &["library", "pause", "films"],
        &["library", "resume", "films"],
        &["library", "scan", "films"],
    ] {
        order(arguments).await;
    }
    std::fs::copy(
        paths::media("hevc.mkv"),
        farm.folder().join("films/hevc.mkv"),
    )
    .unwrap();
    keeps(&farm, &["h264.mp4", "hevc.mkv"]).await;
    order(&["library", "remove", "films"]).await;
    for arguments in [
        &["jobs"][..],
        &["job", &id],
        &["why", &id],
        &["logs", &id],
        &["batches"],
        &["batch", &batch],
        &["workers"],
        &["plan", "--encoder", "libx264"],
        &["presets", "default", "--none"],
        &["presets", "remove", "small"],
        &["presets"],
    ] {
        order(arguments).await;
    }
    nothing_is_refused(&farm);
    the_rest_is_refused(&farm, "producer").await;
}

#[tokio::test]
async fn a_monitor_gives_every_order_with_its_own_rights() {
    let (farm, _worker, mut ffmpeg) = farm().await;
    farm.folder_of("in", &["h264.mp4", "hevc.mkv"].map(paths::media));
    let store = ["--store", farm.folder().to_str().unwrap()];
    let address = farm.broker.url_for("monitor");
    let monitor = TestMonitor::start_with(&farm, &address, &store).await;
    let send = async |method: Method, path: &str, body: Value| {
        let path = format!("/api/v1{path}");
        let (status, text) = monitor.send(method.clone(), &path, &body).await;
        assert!((200..300).contains(&status), "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    };
    let recipe = serde_json::to_value(recipe("libx264")).unwrap();

    let receiver = Receiver::start().await;
    let hook = json!({ "url": receiver.url(), "on": ["job-completed"] });
    for (path, body) in [
        ("/hooks/ours", hook),
        ("/presets/small", json!({ "recipe": recipe })),
        ("/settings/default", json!({ "preset": "small" })),
        ("/settings/history", json!({ "days": 30 })),
        ("/pauses/queue.libx264", json!({})),
        ("/pauses/worker.w", json!({})),
    ] {
        send(Method::PUT, path, body).await;
    }
    has_drained(&farm).await;
    send(Method::DELETE, "/pauses/worker.w", Value::Null).await;
    let files = json!({ "file": "in/h264.mp4", "recipe": recipe });
    send(Method::POST, "/forecast", files).await;
    send(Method::POST, "/plan", json!({ "recipe": recipe })).await;
    let files = ["in/h264.mp4", "in/hevc.mkv"];
    let order = json!({ "files": files, "output": "out", "recipe": recipe });
    let made = send(Method::POST, "/jobs", order).await;
    assert!(made["batch"].is_string(), "{made:#}");
    let records = farm.view.jobs(true).await.unwrap();
    let jobs: Vec<_> = records.iter().map(|record| record.job().id).collect();
    let [first, second] = jobs.as_slice() else {
        panic!("two jobs: {records:#?}")
    };
    let one = json!([first]);
    ffmpeg.set_fault(Fault::Held);
    for (path, body) in [
        ("/jobs/move", json!({ "jobs": one, "priority": 9 })),
        ("/jobs/fit", json!({ "jobs": one })),
        ("/jobs/cancel", json!({ "jobs": one })),
        ("/jobs/retry", json!({ "jobs": one })),
        ("/jobs/move", json!({ "jobs": one, "queue": "on_w" })),
    ] {
        let outcomes = send(Method::POST, path, body).await;
        assert_ne!(outcomes[0]["done"], false, "{path}: {outcomes:#}");
    }
    farm.run_that(first, "running", is_running).await;
    for (path, body) in [
        ("/jobs/move", json!({ "jobs": one, "home": true })),
        ("/jobs/cancel", json!({ "jobs": one })),
    ] {
        let outcomes = send(Method::POST, path, body).await;
        assert_ne!(outcomes[0]["done"], false, "{path}: {outcomes:#}");
    }
    farm.ended(first).await;
    ffmpeg.recover();
    let week = json!({ "hours": "00:00-24:00" });
    send(Method::PUT, "/hours/w", week).await;
    send(Method::PUT, "/pauses/worker.w", json!({})).await;
    for path in [
        "/pauses/worker.w",
        "/hours/w",
        "/pauses/queue.libx264",
        "/settings/default",
        "/presets/small",
    ] {
        send(Method::DELETE, path, Value::Null).await;
    }
    // The worker has answered.
    let (status, text) = monitor.delete("/api/v1/quarantines/w").await;
    assert_eq!(status, 409, "{text}");
    assert!(text.contains("is not in quarantine"), "{text}");
    send(Method::POST, "/jobs/retry", json!({ "jobs": one })).await;
    for job in [first, second] {
        farm.completed(job).await;
    }
    send(Method::POST, "/hooks/ours/test", Value::Null).await;
    // Each job and the test.
    receiver.wait_for(3).await;
    send(Method::DELETE, "/hooks/ours", Value::Null).await;
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let kept = farm.folder().join("kept");
    let library = json!({
        "location": films, "output": kept, "recipe": recipe, "settle": 0, "every": 1,
    });
    send(Method::PUT, "/libraries/films", library).await;
    keeps(&farm, &["h264.mp4"]).await;
    for path in ["/libraries/films/scan", "/libraries/films/pause"] {
        send(Method::PUT, path, Value::Null).await;
    }
    send(Method::DELETE, "/libraries/films/pause", Value::Null).await;
    for path in ["/libraries", "/libraries/films", "/libraries/films/files"] {
        send(Method::GET, path, Value::Null).await;
    }
    send(Method::DELETE, "/libraries/films", Value::Null).await;
    let one = format!("/jobs/{first}");
    for path in [
        "/state".to_owned(),
        "/jobs".to_owned(),
        "/jobs/ids".to_owned(),
        one.clone(),
        format!("{one}/media"),
        format!("{one}/still?side=output&at=1"),
        "/batches".to_owned(),
        "/history".to_owned(),
        "/jetstream".to_owned(),
        "/controls".to_owned(),
        "/settings".to_owned(),
        "/store".to_owned(),
    ] {
        send(Method::GET, &path, Value::Null).await;
    }
    nothing_is_refused(&farm);
    the_rest_is_refused(&farm, "monitor").await;
    // Hooks hold secrets.
    for (role, subject) in [
        ("worker", "$JS.API.STREAM.MSG.GET.KV_hooks"),
        ("reader", "$JS.API.DIRECT.GET.KV_hooks"),
        ("reader", "$JS.API.DIRECT.GET.KV_hooks.$KV.hooks.ours"),
    ] {
        refuses(&farm, role, subject).await;
    }
}

#[tokio::test]
async fn an_autoscaler_needs_the_rights_of_a_producer_and_no_more() {
    let (farm, _worker, _ffmpeg) = farm().await;
    let _monitor = TestMonitor::start_on(&farm, &farm.broker.url_for("monitor")).await;
    let mut command = programs::command("producer", farm.folder());
    command
        .env("NATS_URL", farm.broker.url_for("producer"))
        .args([
            "autoscale",
            "--encoder",
            "libx264",
            "--min",
            "1",
            "--max",
            "1",
        ])
        .args(["--poll", "200ms", "--start", "false {name}"]);
    let log = farm.folder().join("autoscaler.log");
    let mut scaler = Daemon::start("autoscaler", command, &log);
    poll::until("a decision, and its failure", async || {
        let records = farm.view.autoscalers().await.ok()?;
        let record = records.first()?;
        (record.scale.is_some() && record.failures == 1).then_some(())
    })
    .await;
    scaler.signal(Signal::TERM);
    assert_eq!(scaler.wait().await.code(), Some(0), "{}", scaler.log());
    nothing_is_refused(&farm);
}
