//! Plain JetStream: a peer of the queue, and the limit for any queue that is built on it.

use std::time::Instant;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, stream};
use async_nats::{Client, HeaderMap, header};
use bytes::Bytes;
use futures::{StreamExt, stream as streams};
use harness::servers::broker::{Flush, TestBroker};
use harness::{paths, poll};
use uuid::Uuid;

use crate::enqueue;
use crate::figure::{Figure, Rates};
use crate::jobs::SLOTS;

/// The payload of a job that holds only a number.
const PAYLOAD: Bytes = Bytes::from_static(br#"{"number":12345678}"#);
const BATCH: usize = 1000;
/// Messages that a worker fetches at once when acknowledgements are not awaited.
const TAKEN: usize = 256;
const STREAM: &str = "RAW";
/// Guarded writes in atomic batches: a name, the writes in a batch, and the outstanding batches.
const BATCHES: [(&str, usize, usize); 6] = [
    ("guarded writes, atomic batches of 4", 4, 1),
    ("guarded writes, atomic batches of 16", 16, 1),
    ("guarded writes, atomic batches of 16, 4 outstanding", 16, 4),
    ("guarded writes, atomic batches of 64", 64, 1),
    ("guarded writes, atomic batches of 256", 256, 1),
    ("guarded writes, atomic batches of 1000", 1000, 1),
];

/// How a program uses JetStream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Every publish is answered before the next one. Every slot fetches one message, and awaits the answer to its
    /// acknowledgement.
    EachAwaited,
    /// Publishes go out with answers outstanding, fetches bring many messages, and acknowledgements are not awaited.
    Pipelined,
    /// As `Pipelined`, published in atomic batches.
    Batched,
}

/// A broker with one work queue and one bucket, used without the farm's library.
struct Raw {
    client: Client,
    jetstream: jetstream::Context,
    consumer: PullConsumer,
    _broker: TestBroker,
    _folder: tempfile::TempDir,
}

impl Raw {
    async fn start(flush: Flush) -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_flushing(folder.path(), flush).await;
        let client = async_nats::connect(broker.url()).await.expect("it listens");
        let jetstream = jetstream::new(client.clone());
        let work = stream::Config {
            name: STREAM.to_owned(),
            subjects: vec!["raw.*".to_owned()],
            retention: stream::RetentionPolicy::WorkQueue,
            allow_atomic_publish: true,
            ..Default::default()
        };
        let work = jetstream.create_stream(work).await.expect("it is new");
        let lane = pull::Config {
            durable_name: Some("lane".to_owned()),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: -1,
            ..Default::default()
        };
        let bucket = stream::Config {
            name: "KV_raw".to_owned(),
            subjects: vec!["$KV.raw.*".to_owned()],
            max_messages_per_subject: 1,
            allow_direct: true,
            allow_atomic_publish: true,
            ..Default::default()
        };
        jetstream.create_stream(bucket).await.expect("it is new");
        Self {
            client,
            consumer: work.create_consumer(lane).await.expect("it is new"),
            jetstream,
            _broker: broker,
            _folder: folder,
        }
    }

    async fn publish(&self, style: Style, count: usize) {
        match style {
            Style::EachAwaited => self.publish_outstanding(count, 1).await,
            Style::Pipelined => self.publish_outstanding(count, BATCH).await,
            Style::Batched => {
                for first in (0..count).step_by(BATCH) {
                    let last = count.min(first + BATCH);
                    let message = |number| (format!("raw.{number}"), PAYLOAD);
                    let batch: Vec<_> = (first..last).map(message).collect();
                    enqueue::publish(&self.client, &batch).await;
                }
            }
        }
    }

    async fn publish_outstanding(&self, count: usize, outstanding: usize) {
        let publish = |number: usize| async move {
            let subject = format!("raw.{number}");
            let answer = self.jetstream.publish(subject, PAYLOAD).await;
            answer.expect("connected").await.expect("it is stored");
        };
        let answers = streams::iter(0..count).map(publish);
        answers.buffer_unordered(outstanding).count().await;
    }

    /// Fetches at most so many messages.
    async fn fetch(&self, most: usize) -> Vec<jetstream::Message> {
        let fetch = self.consumer.fetch().max_messages(most).messages().await;
        let messages = fetch
            .expect("connected")
            .map(|message| message.expect("a message"));
        messages.collect().await
    }

    async fn work(&self, style: Style) -> usize {
        if style == Style::EachAwaited {
            let slot = |_| async {
                let mut done = 0;
                while let Some(message) = self.fetch(1).await.pop() {
                    message.double_ack().await.expect("it is acknowledged");
                    done += 1;
                }
                done
            };
            let slots = futures::future::join_all((0..SLOTS).map(slot)).await;
            return slots.into_iter().sum();
        }
        let mut done = 0;
        loop {
            let messages = self.fetch(TAKEN).await;
            if messages.is_empty() {
                break;
            }
            done += messages.len();
            for message in messages {
                message.ack().await.expect("connected");
            }
        }
        self.until_empty().await;
        done
    }

    async fn until_empty(&self) {
        poll::until("the work queue to be empty", async || {
            let stream = self.jetstream.get_stream(STREAM).await.ok()?;
            (stream.cached_info().state.messages == 0).then_some(())
        })
        .await;
    }

    /// Creates or updates keys by compare-and-set, each write with an answer of its own.
    async fn guarded_writes(&self, keys: &[String], outstanding: usize) {
        let write = |key: &String| {
            let write = self
                .client
                .request_with_headers(key.clone(), guard(), PAYLOAD);
            async { accepted(&write.await.expect("an answer").payload) }
        };
        let answers = streams::iter(keys).map(write);
        answers.buffer_unordered(outstanding).count().await;
    }

    /// The same writes in atomic batches, with so many batches outstanding.
    async fn guarded_batches(&self, keys: &[String], size: usize, outstanding: usize) {
        let batches = streams::iter(keys.chunks(size)).map(|keys| self.guarded_batch(keys));
        batches.buffer_unordered(outstanding).count().await;
    }

    async fn guarded_batch(&self, keys: &[String]) {
        let batch = Uuid::now_v7().simple().to_string();
        for (index, key) in keys.iter().enumerate() {
            let mut headers = guard();
            headers.insert(header::NATS_BATCH_ID, batch.as_str());
            headers.insert(header::NATS_BATCH_SEQUENCE, (index + 1).to_string());
            if index + 1 < keys.len() {
                let sent = self
                    .client
                    .publish_with_headers(key.clone(), headers, PAYLOAD);
                sent.await.expect("connected");
            } else {
                headers.insert(header::NATS_BATCH_COMMIT, "1");
                let commit = self
                    .client
                    .request_with_headers(key.clone(), headers, PAYLOAD);
                accepted(&commit.await.expect("an answer").payload);
            }
        }
    }
}

/// The header for "this key does not exist yet".
fn guard() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
    headers
}

fn accepted(answer: &[u8]) {
    let answer = String::from_utf8_lossy(answer);
    assert!(!answer.contains("\"error\""), "{answer}");
}

/// Enqueues and completes so many jobs without work.
pub(crate) async fn rates(style: Style, count: usize, flush: Flush) -> Rates {
    let raw = Raw::start(flush).await;
    let started = Instant::now();
    raw.publish(style, count).await;
    let enqueue = count as f64 / started.elapsed().as_secs_f64();
    let started = Instant::now();
    assert_eq!(raw.work(style).await, count, "every job is done once");
    let process = count as f64 / started.elapsed().as_secs_f64();
    Rates { enqueue, process }
}

/// The parts of a claim, a completion and an acknowledgement, on a broker that flushes before it answers.
pub(crate) async fn measure() -> Vec<Figure> {
    let raw = Raw::start(Flush::Always).await;
    let mut figures = Vec::new();
    let mut figure = |what, count: usize, started: Instant| {
        let rate = count as f64 / started.elapsed().as_secs_f64();
        figures.push(Figure {
            what,
            measured: format!("{rate:.0}/s"),
            goal: String::new(),
            reached: None,
        });
    };

    let few = keys(1000);
    let started = Instant::now();
    raw.guarded_writes(&few, 1).await;
    figure("guarded writes, one after another", few.len(), started);
    let some = keys(4000);
    let started = Instant::now();
    raw.guarded_writes(&some, SLOTS).await;
    figure("guarded writes, 16 outstanding", some.len(), started);
    for (what, size, outstanding) in BATCHES {
        let many = keys(8000.min(size * 300));
        let started = Instant::now();
        raw.guarded_batches(&many, size, outstanding).await;
        figure(what, many.len(), started);
    }

    let count = 16_000;
    raw.publish(Style::Batched, count).await;
    let mut taken = Vec::new();
    let started = Instant::now();
    for _ in 0..2000 {
        taken.extend(raw.fetch(1).await);
    }
    figure("messages fetched one by one", taken.len(), started);
    let already = taken.len();
    let started = Instant::now();
    while taken.len() < count {
        taken.extend(raw.fetch(SLOTS).await);
    }
    figure("messages fetched by 16", count - already, started);

    let (each, rest) = taken.split_at(1000);
    let started = Instant::now();
    for message in each {
        message.double_ack().await.expect("it is acknowledged");
    }
    figure("double acks, one after another", each.len(), started);
    let (some, rest) = rest.split_at(4000);
    let started = Instant::now();
    let acks = streams::iter(some).map(jetstream::Message::double_ack);
    acks.buffer_unordered(SLOTS).count().await;
    figure("double acks, 16 outstanding", some.len(), started);
    let started = Instant::now();
    for message in rest {
        message.ack().await.expect("connected");
    }
    raw.until_empty().await;
    figure("plain acks, until the stream is empty", rest.len(), started);
    figures
}

fn keys(count: usize) -> Vec<String> {
    let salt = Uuid::now_v7().simple();
    (0..count)
        .map(|number| format!("$KV.raw.{salt}-{number}"))
        .collect()
}
