//! The live state: changes reach the page within a second, and the page outlives the broker.

use std::time::Duration;

use common::broker::{Broker, ConnectOptions};
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::names::subject;
use common::wire;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::get;
use crate::{Monitor, farm};

fn count(state: &Value, section: &str) -> usize {
    state[section].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_farm_are_on_the_page_within_a_second() {
    let monitor = Monitor::start().await;
    let mut page = monitor.page().await;
    page.until("a first state", |state| {
        state["broker"]["connected"] == true
    })
    .await;

    // A machine that is busy with other tests may take longer now and then, but not every time.
    let mut quickest = Duration::MAX;
    for number in 1..=3 {
        monitor.enqueue(&format!("{number}.mkv"), "libx265").await;
        let took = page
            .until("a pending job", |state| {
                state["totals"]["pending"] == number
            })
            .await;
        quickest = quickest.min(took);
    }
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
    assert_eq!(page.state["queues"][0]["queue"], "libx265");
    assert_eq!(page.state["queues"][0]["unserved"], "no_workers");
    assert_eq!(page.state["attention"][0]["kind"], "unserved");
    assert_eq!(page.state["next"][0]["job"]["name"], "1.mkv");
    assert_eq!(page.state["next"][0]["job"]["folder"], "s3://media/in");

    monitor.heartbeat("atelier", Vec::new()).await;
    let took = page
        .until("a worker", |state| count(state, "workers") == 1)
        .await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    page.until("its queue is served", |state| {
        state["queues"][0]["served_by"] == 1 && count(state, "attention") == 0
    })
    .await;
    assert_eq!(
        page.state["cards"]["atelier"]["encoders"][0],
        json!({
            "name": "libx265", "codec": "hevc", "kind": "software", "fps": 61.0,
            "largest": [3840, 2160], "depths": [8, 10], "sessions": null,
        })
    );

    let job = monitor.enqueue("4.mkv", "libx265").await;
    let lane = farm::lane(&job, 5);
    let worker: common::farm::worker_name::WorkerName = "atelier".parse().expect("a name");
    let run = Run::first(job.clone(), &lane, 4, worker.clone(), Timestamp::now());
    farm::write_run(&monitor.broker, &run).await;
    let took = page
        .until("a running job", |state| count(state, "running") == 1)
        .await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(page.state["running"][0]["stage"], "reading");

    let progress = Progress {
        job: job.id,
        worker: worker.clone(),
        attempt: 1,
        stage: Stage::Encoding,
        fraction: Some(0.25),
        encode: Some(EncodeProgress {
            frame: 250,
            fps: 61.0,
            speed: 2.5,
            bitrate: 4e6,
            size: 100_000,
            time: 10.0,
        }),
        eta: Some(12.0),
        waits_for: None,
        at: Timestamp::now(),
    };
    let client = monitor.broker.client();
    client
        .publish(subject::progress(&job.id), wire::encode(&progress))
        .await
        .expect("published");
    let took = page
        .until("progress", |state| state["running"][0]["fraction"] == 0.25)
        .await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(page.state["running"][0]["stage"], "encoding");
    assert_eq!(page.state["totals"]["fps"], 61.0);

    let report = Report {
        input_size: 1_000_000,
        output_size: 400_000,
        ..farm::report(worker.as_str(), "libx265")
    };
    farm::write_run(&monitor.broker, &run.complete(report, Timestamp::now())).await;
    page.until("the job is done", |state| {
        count(state, "running") == 0 && count(state, "recent") == 1
    })
    .await;
    assert_eq!(page.state["recent"][0]["ending"]["output_size"], 400_000);
    assert_eq!(page.state["totals"]["completed"], 1);

    let once = get(&monitor.address, "/api/v1/state", "").await;
    assert_eq!(once.status, 200);
    assert_eq!(once.json()["recent"], page.state["recent"]);

    monitor
        .broker
        .sign_off(&"atelier".parse().expect("a name"))
        .await
        .expect("gone");
    page.until("the worker has left", |state| count(state, "workers") == 0)
        .await;

    // The monitor stops without waiting for open pages.
    tokio::time::timeout(Duration::from_secs(5), monitor.stop())
        .await
        .expect("it stops in time");
    while page.event().await {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_outlives_the_broker() {
    let mut monitor = Monitor::start().await;
    monitor.enqueue("before.mkv", "libx265").await;
    let running = farm::job("long.mkv", "libx265", 1);
    let worker = "atelier".parse().expect("a name");
    let run = Run::first(
        running.clone(),
        &farm::lane(&running, 5),
        1,
        worker,
        Timestamp::now(),
    );
    farm::write_run(&monitor.broker, &run).await;
    monitor.heartbeat("atelier", vec![running.id]).await;
    let mut page = monitor.page().await;
    page.until("all of it", |state| {
        state["totals"]["pending"] == 1
            && count(state, "workers") == 1
            && count(state, "running") == 1
    })
    .await;
    assert!(monitor.is_ready().await);

    monitor.server.kill();
    page.until("the page says so", |state| {
        state["broker"]["connected"] == false
    })
    .await;
    monitor.until_ready(false).await;
    assert_eq!(get(&monitor.address, "/healthz", "").await.status, 200);
    assert!(page.state["broker"]["error"].is_string());
    assert_eq!(
        page.state["workers"][0]["status"], "ready",
        "{}",
        page.state
    );
    // A page that is opened now shows the last known state.
    let mut late = monitor.page().await;
    late.until("the state", |state| state["totals"]["pending"] == 1)
        .await;
    assert_eq!(late.state["broker"]["connected"], false);

    monitor.server.restart();
    page.until("it is back", |state| state["broker"]["connected"] == true)
        .await;
    monitor.until_ready(true).await;
    monitor.enqueue("after.mkv", "libx265").await;
    // The bucket of heartbeats is missing until a program that starts makes it again. The monitor must see the
    // heartbeats in the new bucket.
    Broker::set_up(&ConnectOptions::new(monitor.server.url(), "another"))
        .await
        .expect("our own broker");
    monitor.heartbeat("mini-pc", Vec::new()).await;
    for page in [&mut page, &mut late] {
        page.until("life goes on", |state| {
            state["totals"]["pending"] == 2
                && count(state, "workers") == 2
                && count(state, "running") == 1
        })
        .await;
    }
    drop((page, late));
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_stay_text() {
    let monitor = Monitor::start().await;
    let long = format!("{}.mkv", "long ".repeat(60));
    let names = [
        "<script>alert(1)</script>.mkv",
        "new\nline\r\ndata: {}\n\n.mkv",
        "\u{202e}vkm.drawkcab",
        &long,
    ];
    for name in names {
        monitor.enqueue(name, "libx265").await;
    }
    // Records that no program of the farm wrote must not hide the other records.
    for subject in ["$KV.runs.rubbish.all", "$KV.workers.rubbish"] {
        let answer = monitor
            .broker
            .jetstream()
            .publish(subject, "rubbish".into());
        answer.await.expect("sent").await.expect("stored");
    }
    let mut page = monitor.page().await;
    page.until("all names", |state| count(state, "next") == names.len())
        .await;
    for name in names {
        let rows = page.state["next"].as_array().expect("rows");
        let stem = name.rsplit('/').next().expect("a name");
        assert!(
            rows.iter().any(|row| row["job"]["name"] == stem),
            "{name:?} is not among {rows:#?}"
        );
    }
    drop(page);
    monitor.stop().await;
}

#[tokio::test]
async fn a_wrong_broker_or_address_is_one_line_of_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nowhere = format!("nats://{}", free.local_addr().expect("its address"));
    drop(free);
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_monitor"))
        .args(["--listen", "127.0.0.1:0", "--nats", &nowhere])
        .output()
        .await
        .expect("it runs");
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8(output.stderr).expect("text");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.contains("cannot reach the NATS server"), "{words}");

    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_monitor"))
        .args(["--listen", "everywhere"])
        .output()
        .await
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
}
