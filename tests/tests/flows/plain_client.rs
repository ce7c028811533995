//! The names on the broker that DESIGN.md lists, as seen by a client that uses no code of the farm: every name here is
//! spelled out.

use std::collections::BTreeSet;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::stream::RetentionPolicy;
use async_nats::jetstream::{self, consumer, kv};
use futures::{StreamExt, TryStreamExt};
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::{paths, poll};
use serde_json::{Value, json};

struct PlainClient {
    client: async_nats::Client,
    jetstream: jetstream::Context,
}

impl PlainClient {
    async fn connect(farm: &Farm) -> Self {
        let client = async_nats::connect(farm.broker.url()).await.unwrap();
        Self {
            jetstream: jetstream::new(client.clone()),
            client,
        }
    }

    async fn bucket(&self, name: &str) -> kv::Store {
        self.jetstream.get_key_value(name).await.unwrap()
    }

    /// The subjects of a stream that hold messages.
    async fn subjects(&self, stream: &str) -> BTreeSet<String> {
        let stream = self.jetstream.get_stream(stream).await.unwrap();
        let subjects = stream.info_with_subjects(">").await.unwrap();
        subjects
            .map_ok(|(subject, _)| subject)
            .try_collect()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_plain_client_finds_what_the_design_names() {
    let farm = Farm::start().await;
    let plain = PlainClient::connect(&farm).await;
    let names: BTreeSet<String> = plain.jetstream.stream_names().try_collect().await.unwrap();
    let expected = [
        "DEAD",
        "EVENTS",
        "JOBS",
        "KV_autoscalers",
        "KV_batches",
        "KV_control",
        "KV_files",
        "KV_hooks",
        "KV_libraries",
        "KV_notifications",
        "KV_outputs",
        "KV_plans",
        "KV_runs",
        "KV_settings",
        "KV_workers",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());

    let jobs = plain.jetstream.get_stream("JOBS").await.unwrap();
    let config = &jobs.cached_info().config;
    assert_eq!(config.retention, RetentionPolicy::WorkQueue);
    assert_eq!(config.subjects, ["jobs.*.*.*.*", "later.*.*"]);
    assert!(config.allow_direct && config.allow_atomic_publish && config.allow_message_schedules);
    assert!(config.max_consumers > 1000);
    let republish = config.republish.as_ref().unwrap();
    assert_eq!(republish.destination, "wake.{{wildcard(1)}}");
    assert!(republish.headers_only);
    for (stream, subjects) in [("EVENTS", "events.*.*"), ("DEAD", "dead.*.*")] {
        let stream = plain.jetstream.get_stream(stream).await.unwrap();
        assert_eq!(stream.cached_info().config.subjects, [subjects]);
    }
    let orders = plain.jetstream.get_stream("KV_control").await.unwrap();
    let wake_up = orders.cached_info().config.republish.as_ref().unwrap();
    assert_eq!(wake_up.destination, "orders.>");
}

#[tokio::test]
async fn a_plain_client_finds_the_settings_by_their_keys() {
    let farm = Farm::start().await;
    let save = ["presets", "save", "ours", "--video", "copy"];
    farm.producer(save).await.succeeded();
    let default = ["presets", "default", "ours"];
    farm.producer(default).await.succeeded();
    let days = "30".parse().unwrap();
    farm.view.set_retention(days).await.unwrap();
    let plain = PlainClient::connect(&farm).await;
    let keys = ["default", "history", "preset.ours"].map(|key| format!("$KV.settings.{key}"));
    assert_eq!(plain.subjects("KV_settings").await, keys.into());
    let bucket = plain.bucket("settings").await;
    for (key, body) in [
        ("default", json!("ours")),
        ("history", json!(30)),
        (
            "preset.ours",
            json!({ "recipe": {
                "video": "copy", "audio": "copy", "subtitles": "keep", "container": "mkv",
            } }),
        ),
    ] {
        let stored = bucket.get(key).await.unwrap().expect("it is there");
        let stored: Value = serde_json::from_slice(&stored).unwrap();
        assert_eq!(stored, json!({ "v": 1, "body": body }), "{key}");
    }
}

#[tokio::test]
async fn a_plain_client_can_follow_a_job_through_its_life() {
    let farm = Farm::start().await;
    let plain = PlainClient::connect(&farm).await;
    let mut wake_ups = plain.client.subscribe("wake.libx264").await.unwrap();
    let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
    job.attempts = 2;
    let id = job.id.to_string();
    farm.enqueue(&job).await;

    // Pending: a message, a wake-up, a lane, and no run.
    let wake_up = wake_ups.next().await.unwrap();
    assert!(wake_up.payload.is_empty(), "headers only");
    assert_eq!(
        plain.subjects("JOBS").await,
        [format!("jobs.libx264.5.{id}.all")].into()
    );
    let jobs = plain.jetstream.get_stream("JOBS").await.unwrap();
    let lane: PullConsumer = jobs.get_consumer("libx264_p5").await.unwrap();
    let consumer::Info { config, .. } = lane.cached_info();
    assert_eq!(config.filter_subject, "jobs.libx264.5.*.*");
    assert_eq!(
        (config.ack_policy, config.max_deliver),
        (AckPolicy::Explicit, -1)
    );
    assert_eq!(config.ack_wait, harness::farm::ACK_WAIT);
    let runs = plain.bucket("runs").await;
    let key = format!("{id}.all");
    assert!(runs.entry(&key).await.unwrap().is_none());

    // Running: a heartbeat, a run, progress.
    let mut progress = plain
        .client
        .subscribe(format!("progress.{id}"))
        .await
        .unwrap();
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let worker = farm
        .join(farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let heartbeat = plain
        .bucket("workers")
        .await
        .get("w")
        .await
        .unwrap()
        .unwrap();
    let heartbeat: Value = serde_json::from_slice(&heartbeat).unwrap();
    assert_eq!(heartbeat["body"]["name"], "w");
    assert_eq!(
        heartbeat["body"]["card"]["encoders"]["libx264"]["verdict"],
        "proved"
    );
    farm.encoding(&job.id, &worker).await;
    let said: Value = serde_json::from_slice(&progress.next().await.unwrap().payload).unwrap();
    assert_eq!(said["body"]["worker"], "w");
    let run = async || -> Value {
        serde_json::from_slice(&runs.get(&key).await.unwrap().unwrap()).unwrap()
    };
    assert_eq!(run().await["body"]["state"]["running"]["worker"], "w");

    // Waiting for its second attempt, then failed for good.
    ffmpeg.set_fault(Fault::Sick);
    ffmpeg.release();
    let later = BTreeSet::from([format!("later.{id}.all")]);
    poll::until("the job to wait for its second attempt", async || {
        (plain.subjects("JOBS").await == later).then_some(())
    })
    .await;
    farm.ended(&job.id).await;
    assert_eq!(
        run().await["body"]["state"]["failed"]["failure"]["fault"],
        "worker"
    );
    poll::until("the dead letter", async || {
        (plain.subjects("DEAD").await == [format!("dead.libx264.{id}")].into()).then_some(())
    })
    .await;
    let history = ["queued", "claimed", "command", "failed", "retried"]
        .map(|kind| format!("events.{id}.{kind}"));
    poll::until("its history", async || {
        let mut entries = plain.subjects("EVENTS").await;
        // The progress depends on the speed of the machine.
        entries.retain(|subject| !subject.ends_with(".progress"));
        (entries == BTreeSet::from(history.clone())).then_some(())
    })
    .await;
    poll::until("the queue to be empty", async || {
        plain.subjects("JOBS").await.is_empty().then_some(())
    })
    .await;
}
