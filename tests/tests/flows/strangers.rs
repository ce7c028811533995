//! Anything may be stored on the broker: messages of strangers and of newer programs, and damaged messages. They cost a
//! good job nothing, and every listing answers.

use std::time::Duration;

use async_nats::Client;
use common::farm::queue::{Lane, Priority};
use common::job::Job;
use futures::StreamExt;
use harness::farm::Farm;
use harness::paths;
use harness::programs::monitor::TestMonitor;
use serde_json::{Value, json};

/// The number of messages for each subject.
const EACH: usize = 100;

/// A generator of the same numbers in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).expect("a small number")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    /// Bytes, JSON, or a real message that is damaged.
    fn rubbish(&mut self, real: &[Value]) -> Vec<u8> {
        match self.roll(4) {
            0 => {
                let length = self.roll(60);
                (0..length)
                    .map(|_| u8::try_from(self.roll(256)).expect("a byte"))
                    .collect()
            }
            1 => self
                .pick(&[
                    "",
                    "null",
                    "[]",
                    "{}",
                    "1e999",
                    "\"x\"",
                    r#"{"v":1,"body":{}}"#,
                    r#"{"v":99,"body":{}}"#,
                    r#"{"v":99999999999,"body":null}"#,
                    r#"{"body":{}}"#,
                    r#"{"v":1,"body":[[[[]]]]}"#,
                ])
                .as_bytes()
                .to_vec(),
            _ => {
                let mut message = self.pick(real).clone();
                self.spoil(&mut message);
                serde_json::to_vec(&message).expect("JSON")
            }
        }
    }

    /// Changes one value inside the message.
    fn spoil(&mut self, value: &mut Value) {
        let wrong = [
            json!(null),
            json!(-1),
            json!(u64::MAX),
            json!(4_294_967_294_u32),
            json!(1e300),
            json!("\u{202e}\u{1b}[2J"),
            json!("9999-12-30T00:00:00Z"),
            json!([]),
            json!({}),
            json!("../../etc"),
            json!(true),
        ];
        match value {
            Value::Object(fields) if !fields.is_empty() && self.roll(5) > 0 => {
                let names: Vec<String> = fields.keys().cloned().collect();
                let name = self.pick(&names);
                self.spoil(&mut fields[name]);
            }
            Value::Array(items) if !items.is_empty() => {
                let index = self.roll(items.len());
                self.spoil(&mut items[index]);
            }
            other => *other = self.pick(&wrong).clone(),
        }
    }
}

/// One message of each kind, as the present programs write it.
fn real() -> Vec<Value> {
    let folder = paths::repository().join("common/tests/wire/v1");
    let files = std::fs::read_dir(folder).expect("they are there");
    let mut paths: Vec<_> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    let read = |path| serde_json::from_slice(&std::fs::read(path).expect("a file"));
    paths.iter().map(|path| read(path).expect("JSON")).collect()
}

/// Every subject that the farm uses.
fn subjects(job: &Job) -> Vec<String> {
    let id = job.id;
    let other = uuid::Uuid::from_u128(7);
    let mut subjects: Vec<String> = [
        "jobs.libx264.10",
        "jobs.libx264.5",
        "jobs.libx264.99",
        "jobs.any_h264.10",
        "jobs.copy.10",
        "jobs.on_w.9",
        "jobs.nonsense.x",
    ]
    .iter()
    .flat_map(|lane| [format!("{lane}.{other}.all"), format!("{lane}.rubbish.x")])
    .collect();
    subjects.extend([
        format!("later.{other}.all"),
        format!("later.{other}.parked"),
        "later.front.all".to_owned(),
        format!("$KV.runs.{other}.all"),
        "$KV.runs.rubbish".to_owned(),
        "$KV.workers.ghost".to_owned(),
        "$KV.workers.w2".to_owned(),
        "$KV.control.queue.libx265".to_owned(),
        "$KV.control.worker.ghost".to_owned(),
        "$KV.control.nonsense".to_owned(),
        format!("$KV.control.batch.{other}"),
        format!("$KV.batches.{other}"),
        "$KV.batches.rubbish".to_owned(),
        "$KV.settings.default".to_owned(),
        "$KV.settings.history".to_owned(),
        "$KV.settings.preset.mine".to_owned(),
        format!("events.{other}.completed"),
        format!("events.{id}.claimed"),
        format!("dead.libx264.{other}"),
        "dead.x.y".to_owned(),
        format!("progress.{id}"),
        format!("progress.{other}"),
        format!("logs.{id}"),
        format!("control.job.{id}"),
        "control.worker.w".to_owned(),
        "orders.queue.libx264".to_owned(),
        "wake.libx264".to_owned(),
        "wake.x".to_owned(),
        "peek.w".to_owned(),
        "sample.w".to_owned(),
        "owner.w".to_owned(),
        "$JS.EVENT.ADVISORY.CONSUMER.CREATED.JOBS.nonsense".to_owned(),
    ]);
    subjects
}

async fn throw(client: &Client, subjects: &[String], real: &[Value]) {
    let mut dice = Dice(8);
    for round in 0..EACH {
        for subject in subjects {
            // Each message has a job of its own, so the work queue keeps all of them.
            let subject = match subject.strip_prefix("jobs.") {
                Some(rest) => {
                    let id = uuid::Uuid::from_u128(round as u128 + 1000);
                    format!("jobs.{}", rest.replace("rubbish", &id.to_string()))
                }
                None => subject.clone(),
            };
            let payload = dice.rubbish(real);
            client.publish(subject, payload.into()).await.expect("sent");
        }
    }
    client.flush().await.expect("sent");
}

#[tokio::test]
async fn rubbish_on_the_broker_harms_no_good_job_and_no_listing() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.option("--max-jobs", "2")).await;
    let good = farm.job(&paths::media("h264.mp4"), "libx264");
    let mut live = reqwest::Client::new()
        .get(format!("{}/api/v1/live", monitor.url()))
        .send()
        .await
        .expect("an answer")
        .bytes_stream();
    tokio::spawn(async move { while live.next().await.is_some() {} });

    throw(farm.view.client(), &subjects(&good), &real()).await;
    // A run that no program can read.
    let key = format!("$KV.runs.{}.all", uuid::Uuid::from_u128(9));
    farm.view
        .client()
        .publish(key, r#"{"v":1,"body":{}}"#.into())
        .await
        .unwrap();
    let settings = ["default", "history", "preset.mine"].map(|key| format!("$KV.settings.{key}"));
    for key in settings {
        farm.view
            .client()
            .publish(key, "rubbish".into())
            .await
            .unwrap();
    }
    let lane = Lane {
        priority: Priority::try_from(1).unwrap(),
        queue: good.recipe.queue(),
    };
    farm.view
        .enqueue(&[(good.clone(), lane)], |_| {})
        .await
        .unwrap();
    farm.completed(&good.id).await;

    let id = good.id.to_string();
    for command in [
        vec!["jobs", "--json"],
        vec!["jobs"],
        vec!["batches"],
        vec!["batches", "--json"],
        vec!["workers"],
        vec!["presets"],
        vec!["job", &id],
        vec!["why", &id],
        vec!["logs", &id],
    ] {
        let ran = farm.producer(&command).await;
        assert!(matches!(ran.code, Some(0 | 1)), "{command:?}: {ran:?}");
        if command[0] == "jobs" {
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert!(ran.stdout.contains(&id[..8]), "{ran:?}");
            assert!(ran.stderr.contains("could not be read"), "{ran:?}");
        }
    }
    let broken = uuid::Uuid::from_u128(9).to_string();
    let ran = farm.producer(["cancel", &broken]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("is broken"), "{ran:?}");
    let job = format!("/api/v1/jobs/{id}");
    for page in [
        "/api/v1/state",
        "/api/v1/jobs",
        "/api/v1/jobs/ids",
        &job,
        "/api/v1/batches",
        "/api/v1/controls",
        "/api/v1/settings",
        "/api/v1/jetstream",
        "/api/v1/history?hours=24",
        "/api/v1/history.csv?hours=24",
        "/api/v1/vocabulary",
        "/metrics",
        "/healthz",
        "/readyz",
    ] {
        harness::poll::until_within(Duration::from_secs(20), page, async || {
            monitor.get(page).await
        })
        .await;
    }
    let state = harness::poll::until("the page to say so", async || {
        let state = monitor.get("/api/v1/state").await?;
        state.contains("\"unreadable\"").then_some(state)
    })
    .await;
    assert!(state.contains("cannot be read"), "{state}");
    // The worker is still the same.
    let heartbeat = farm.heartbeat("w").await.expect("alive");
    assert_eq!(heartbeat.status, common::farm::worker::WorkerStatus::Ready);
}
