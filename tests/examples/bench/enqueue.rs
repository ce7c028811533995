//! Durable enqueueing beside raw atomic batches of the same payloads.

use std::time::Instant;

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use common::names::subject;
use common::wire;
use harness::farm::Farm;
use uuid::Uuid;

use crate::figure::{Figure, median};
use crate::jobs;

const JOBS: usize = 20_000;
const BATCH: usize = 1000;
const ROUNDS: usize = 5;

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let jobs = jobs::jobs(JOBS);
        let started = Instant::now();
        jobs::all(&farm.view, &jobs).await;
        ours.push(JOBS as f64 / started.elapsed().as_secs_f64());
        empty(&farm).await;

        let payloads: Vec<_> = jobs::jobs(JOBS)
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
