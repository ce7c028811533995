//! Durable enqueueing beside raw atomic batches of the same payloads.

use std::time::Instant;

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use common::broker::{Broker, EnqueueResult};
use common::farm::queue::{Lane, Priority};
use common::job::Job;
use common::job::id::BatchId;
use common::job::input::Input;
use common::names::location::Location;
use common::names::subject;
use common::wire;
use harness::farm::{Farm, recipe};
use uuid::Uuid;

use crate::{Figure, median};

const JOBS: usize = 20_000;
const BATCH: usize = 1000;
const ROUNDS: usize = 5;

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let jobs = jobs(JOBS);
        let started = Instant::now();
        all(&farm.view, &jobs).await;
        ours.push(JOBS as f64 / started.elapsed().as_secs_f64());
        empty(&farm).await;

        let payloads: Vec<_> = self::jobs(JOBS)
            .iter()
            .map(|(job, lane)| (subject::job(lane, &job.id), wire::encode(job)))
            .collect();
        let started = Instant::now();
        for batch in payloads.chunks(BATCH) {
            publish(farm.view.client(), batch).await;
        }
        raw.push(JOBS as f64 / started.elapsed().as_secs_f64());
        empty(&farm).await;
    }
    let ratios: Vec<f64> = ours
        .iter()
        .zip(&raw)
        .map(|(ours, raw)| ours / raw)
        .collect();
    let ratio = median(&ratios);
    vec![
        Figure {
            what: "durable enqueue / raw atomic batches",
            measured: format!("{ratio:.2}"),
            goal: "≥ 0.7".to_owned(),
            reached: Some(ratio >= 0.7),
        },
        Figure {
            what: "durable enqueue",
            measured: format!("{:.0} jobs/s (raw: {:.0})", median(&ours), median(&raw)),
            goal: String::new(),
            reached: None,
        },
    ]
}

/// Enqueues jobs, none of which was there.
pub(crate) async fn all(broker: &Broker, jobs: &[(Job, Lane)]) {
    let outcomes = broker.enqueue(jobs, |_| {}).await;
    let outcomes = outcomes.expect("the broker takes them");
    let refused = outcomes
        .iter()
        .find(|(_, outcome)| *outcome != EnqueueResult::Added);
    assert!(refused.is_none(), "{refused:?}");
}

/// Jobs that differ in name only, of a size as on a real farm; another call makes others.
pub(crate) fn jobs(count: usize) -> Vec<(Job, Lane)> {
    let recipe = recipe("libx264");
    let lane = Lane {
        priority: Priority::default(),
        queue: recipe.queue(),
    };
    let (batch, salt) = (BatchId::new(), Uuid::now_v7());
    let job = |number: usize| {
        let place = |name: String| Location::s3("media", &name).expect("a bucket");
        let input = Input {
            location: place(format!("films/season one/episode {number}.mp4")),
            size: 1_000_000,
            version: "d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        };
        // An output has one job only.
        let output = place(format!("out/{salt}/episode {number}.mkv"));
        Job::new(batch, input, output, recipe.clone(), Some(salt))
    };
    (0..count)
        .map(|number| (job(number), lane.clone()))
        .collect()
}

/// One atomic batch of plain messages.
pub(crate) async fn publish(client: &Client, messages: &[(String, Bytes)]) {
    let batch = Uuid::now_v7().simple().to_string();
    for (index, (subject, payload)) in messages.iter().enumerate() {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
        let (subject, payload) = (subject.clone(), payload.clone());
        if index + 1 < messages.len() {
            client
                .publish_with_headers(subject, headers, payload)
                .await
                .expect("connected");
        } else {
            headers.insert("Nats-Batch-Commit", "1");
            let answer = client
                .request_with_headers(subject, headers, payload)
                .await
                .expect("an answer");
            let answer = String::from_utf8_lossy(&answer.payload).into_owned();
            assert!(!answer.contains("\"error\""), "{answer}");
        }
    }
}

async fn empty(farm: &Farm) {
    let stream = farm
        .view
        .jetstream()
        .get_stream(subject::JOBS)
        .await
        .expect("it is there");
    stream.purge().await.expect("it can be emptied");
}
