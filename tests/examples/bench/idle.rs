//! A thousand workers with nothing to do: what they cost the broker, and how
//! long a job then waits for one of them.

use std::time::{Duration, Instant};

use common::broker::{Broker, ConnectOptions, HEARTBEAT, Lanes};
use common::encoder::Encoder;
use common::id::JobId;
use common::subject;
use common::testing;
use common::worker::WorkerName;
use futures::{StreamExt, stream};
use harness::farm::Farm;
use harness::outside;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::noop::{complete, queue};
use crate::{Figure, enqueue, median};

const WORKERS: usize = 1000;
/// That each has proved.
const ENCODERS: usize = 28;
/// Workers that connect at once.
const CONNECTING: usize = 50;
/// As in the worker's dispatcher: between two looks while jobs are held,
const LOOK_MS: std::ops::Range<u64> = 500..900;
/// and between two glances at whether any are.
const GLANCE: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(20);
const JOBS: usize = 60;
/// Time between two jobs.
const PAUSE_MS: std::ops::Range<u64> = 100..1000;
/// A job that nobody took by then is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who has claimed a job, when.
type Claimed = mpsc::UnboundedSender<(JobId, Instant)>;

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    // The first job makes the lane.
    let first = enqueue::jobs(1);
    let enqueued = farm.view.enqueue(&first, |_| {}).await;
    enqueued.expect("it is taken");

    let mut workers = JoinSet::new();
    let url = farm.broker.url();
    let joining = stream::iter(0..WORKERS).map(|number| join(url.clone(), number));
    let joined: Vec<_> = joining.buffer_unordered(CONNECTING).collect().await;
    for (broker, name) in &joined {
        workers.spawn(beat(broker.clone(), name.clone()));
    }
    let beating = broker_share(&farm).await;
    let (claimed, mut claims) = mpsc::unbounded_channel();
    for (broker, name) in joined {
        workers.spawn(work(broker, name, claimed.clone()));
    }
    claims.recv().await.expect("the first job is taken");
    // Each is to have found out that there is nothing to do.
    tokio::time::sleep(GLANCE).await;
    let idle = broker_share(&farm).await;

    let mut waits = Vec::new();
    for _ in 0..JOBS {
        tokio::time::sleep(random(PAUSE_MS)).await;
        let one = enqueue::jobs(1);
        let enqueued = Instant::now();
        farm.view.enqueue(&one, |_| {}).await.expect("it is taken");
        let next = tokio::time::timeout(PATIENCE, claims.recv()).await;
        let (job, at) = next.expect("somebody takes it").expect("workers live");
        assert_eq!(job, one[0].0.id, "no job is taken twice");
        waits.push((at - enqueued).as_secs_f64() * 1e3);
    }
    let longest = waits.iter().copied().fold(0.0, f64::max);

    workers.shutdown().await;
    vec![
        Figure {
            what: "idle: broker's CPU with 1000 idle workers",
            measured: format!("{idle:.1} % of a core"),
            goal: "≤ 10 %".to_owned(),
            reached: Some(idle <= 10.0),
        },
        Figure {
            what: "idle: of which heartbeats",
            measured: format!("{beating:.1} %"),
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

/// The share of a core that the broker uses in a while of this, in percent.
async fn broker_share(farm: &Farm) -> f64 {
    let used = || outside::processor_seconds(farm.broker.id()).expect("it runs");
    // What has just begun is to be under way.
    tokio::time::sleep(HEARTBEAT).await;
    let (before, started) = (used(), Instant::now());
    tokio::time::sleep(WATCHED).await;
    (used() - before) / started.elapsed().as_secs_f64() * 100.0
}

/// A worker connects by itself, as if it were alone in its process.
async fn join(url: String, number: usize) -> (Broker, WorkerName) {
    let name: WorkerName = format!("idle-{number}").parse().expect("a name");
    let options = ConnectOptions::new(url, name.as_str());
    let broker = Broker::connect(&options).await;
    (broker.expect("the broker takes a thousand"), name)
}

/// Listens and looks as the worker's dispatcher does.
async fn work(broker: Broker, name: WorkerName, claimed: Claimed) {
    let bell = subject::wake(&queue());
    let bells = broker.client().queue_subscribe(bell.clone(), bell).await;
    let mut bells = bells.expect("connected");
    let mut lanes = Lanes::default();
    let found = broker.find_lanes(&[queue()], &mut lanes).await;
    found.expect("the broker lists them");
    let mut is_busy = true;
    // Workers do not all start at once.
    let mut glance = Instant::now() + random(0..GLANCE.as_millis() as u64);
    loop {
        let look = broker.claim(&lanes, &name, 1).await;
        let is_any = look.map_or(Vec::new(), |look| look.claims).pop();
        if let Some((claim, ())) = is_any {
            // Whoever measures may have gone.
            let _ = claimed.send((claim.job().id, Instant::now()));
            complete(claim, name.clone()).await;
            continue;
        }
        if Instant::now() >= glance {
            is_busy = broker.have_work(&lanes).await.unwrap_or(true);
            glance = Instant::now() + GLANCE;
        }
        let patience = if is_busy {
            random(LOOK_MS)
        } else {
            glance.saturating_duration_since(Instant::now())
        };
        tokio::select! {
            _ = bells.next() => {}
            () = tokio::time::sleep(patience) => {}
        }
    }
}

/// Says that a worker lives, as its presence does.
async fn beat(broker: Broker, name: WorkerName) {
    tokio::time::sleep(random(0..HEARTBEAT.as_millis() as u64)).await;
    let mut beats = tokio::time::interval(HEARTBEAT);
    // As large as a real machine's: 5 kB.
    let proved: Vec<Encoder> = Encoder::catalogue().map(|(encoder, _)| encoder).collect();
    let proved: Vec<&str> = proved.iter().take(ENCODERS).map(Encoder::as_str).collect();
    let mut heartbeat = testing::heartbeat(name.as_str(), &proved);
    loop {
        beats.tick().await;
        heartbeat.at = Timestamp::now();
        broker.heartbeat(&heartbeat).await.expect("it is taken");
    }
}

fn random(milliseconds: std::ops::Range<u64>) -> Duration {
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    let range = milliseconds.end - milliseconds.start;
    Duration::from_millis(milliseconds.start + random % range)
}
