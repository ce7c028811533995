//! A thousand idle workers: what they cost the broker, and how long a job waits for one of them.

use std::time::{Duration, Instant};

use common::broker::{Broker, ConnectOptions, HEARTBEAT};
use common::recipe::encoder::Encoder;
use common::testing;
use futures::{StreamExt, stream};
use harness::farm::Farm;
use harness::{outside, progress};
use tokio::sync::mpsc;

use crate::figure::{Figure, median};
use crate::jobs;
use crate::worker::{Setup, Worker};

const WORKERS: usize = 1000;
/// The encoders that each worker has proved: its capability card is as large as a real machine's, 5 kB.
const ENCODERS: usize = 28;
/// Workers that connect at the same time.
const CONNECTING: usize = 50;
/// By then, every idle worker has polled all its lanes.
const SETTLED: Duration = Duration::from_secs(50);
/// Longer than the time between any two regular actions of an idle worker.
const WATCHED: Duration = Duration::from_secs(60);
const JOBS: usize = 60;
/// The pause between two jobs.
const PAUSE_MS: std::ops::Range<u64> = 100..1000;
/// A job that is not claimed by then counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let encoders: Vec<_> = Encoder::catalogue().take(ENCODERS).collect();
    let encoders: Vec<&str> = encoders
        .iter()
        .map(|(encoder, _)| encoder.as_str())
        .collect();
    let card = testing::heartbeat("idle", &encoders).card;
    let (claimed, mut claims) = mpsc::unbounded_channel();
    let (done, mut ends) = mpsc::unbounded_channel();
    let (url, scratch) = (farm.broker.url(), farm.scratch());
    // Lanes are made with the default lease, not with that of tests.
    let view = Broker::set_up(&ConnectOptions::new(&url, "bench")).await;
    let view = view.expect("the broker takes us");
    let joining = stream::iter(0..WORKERS).map(async |number| {
        let setup = Setup {
            name: format!("idle-{number}").parse().expect("a name"),
            card: card.clone(),
            slots: 1,
            scratch: &scratch,
            claimed: claimed.clone(),
            done: done.clone(),
        };
        // Each worker has a connection of its own, as if it were alone in its process.
        let options = ConnectOptions::new(&url, setup.name.as_str());
        let broker = Broker::set_up(&options).await;
        // The workers do not all start at once.
        tokio::time::sleep(random(0..HEARTBEAT.as_millis() as u64)).await;
        Worker::join(&broker.expect("the broker takes a thousand"), setup)
    });
    let joined: Vec<_> = joining.buffer_unordered(CONNECTING).collect().await;
    progress::phase("idle: heartbeats alone");
    let present = broker_share(&farm).await;
    let mut workers = Vec::new();
    for (mut worker, dispatcher) in joined {
        worker.work(dispatcher);
        workers.push(worker);
    }
    // The first job makes the lane.
    let first = jobs::jobs(1);
    jobs::all(&view, &first).await;
    ends.recv().await.expect("the first job is done");
    claims.recv().await.expect("it was claimed");
    progress::phase("idle: workers without jobs");
    tokio::time::sleep(SETTLED).await;
    let idle = broker_share(&farm).await;

    progress::phase("idle: a job now and then");
    let mut waits = Vec::new();
    for _ in 0..JOBS {
        tokio::time::sleep(random(PAUSE_MS)).await;
        let one = jobs::jobs(1);
        let enqueued = Instant::now();
        jobs::all(&view, &one).await;
        let next = tokio::time::timeout(PATIENCE, claims.recv()).await;
        let (job, at) = next.expect("somebody takes it").expect("workers live");
        assert_eq!(job, one[0].0.id, "no job is taken twice");
        waits.push((at - enqueued).as_secs_f64() * 1e3);
    }
    let longest = waits.iter().copied().fold(0.0, f64::max);

    for worker in workers {
        worker.stop().await;
    }
    vec![
        Figure {
            what: "idle: broker's CPU with 1000 idle workers",
            measured: format!("{idle:.1} % of a core"),
            goal: "≤ 10 %".to_owned(),
            reached: Some(idle <= 10.0),
        },
        Figure {
            what: "idle: of which heartbeats and hearing of orders",
            measured: format!("{present:.1} %"),
            goal: String::new(),
            reached: None,
        },
        Figure {
            what: "idle: enqueue to claim by one of 1000 idle workers, longest of 60",
            measured: format!("{longest:.0} ms (median {:.1} ms)", median(&waits)),
            goal: "≤ 1000 ms".to_owned(),
            reached: Some(longest <= 1000.0),
        },
    ]
}

/// The broker's share of one core during this time, in percent.
async fn broker_share(farm: &Farm) -> f64 {
    let used = || outside::processor_seconds(farm.broker.id()).expect("it runs");
    let (before, started) = (used(), Instant::now());
    tokio::time::sleep(WATCHED).await;
    (used() - before) / started.elapsed().as_secs_f64() * 100.0
}

fn random(milliseconds: std::ops::Range<u64>) -> Duration {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    let range = milliseconds.end - milliseconds.start;
    Duration::from_millis(milliseconds.start + random % range)
}
