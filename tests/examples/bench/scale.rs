//! Two thousand workers that come and go within a minute, before a million pending jobs: whether the monitor's numbers
//! stay true, whether an autoscaler decides well by them, and what it costs the broker.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::broker::{Broker, ConnectOptions, ScaleQuestion};
use common::farm::orders::Orders;
use common::matching::scale::Scale;
use common::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Rules, Started};
use common::matching::scale::decide::{Seen, Step};
use common::testing;
use futures::future::join_all;
use harness::farm::Farm;
use harness::programs::monitor::TestMonitor;
use harness::{outside, poll, progress};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::figure::{Figure, median};
use crate::jobs;
use crate::jobs::queue;
use crate::worker::{Setup, Worker};

const WORKERS: usize = 2000;
const PENDING: usize = 1_000_000;
/// Jobs that the same workers do to the last one.
const DRAINED: usize = 50_000;
/// Jobs that are made at once.
const AT_ONCE: usize = 20_000;
/// By then, all workers have come and gone.
const MINUTE: Duration = Duration::from_secs(60);
/// How long each of them stays.
const STAY: Duration = Duration::from_secs(20);
/// Time between two looks of the autoscaler.
const LOOK: Duration = Duration::from_secs(2);
/// How old a number may be.
const FRESH: Duration = Duration::from_secs(5);

/// What really happens, by the workers themselves.
#[derive(Default)]
struct Truth {
    claimed: AtomicU64,
    done: AtomicU64,
}

/// A look at the farm, and how far it was from the truth.
struct Look {
    took: f64,
    is_wrong: bool,
}

/// The variable `PENDING` sets another number of pending jobs.
pub(crate) async fn measure() -> Vec<Figure> {
    let pending =
        std::env::var("PENDING").map_or(PENDING, |count| count.parse().expect("a number"));
    let mut figures = churn(pending).await;
    figures.push(drain().await);
    figures
}

async fn churn(pending: usize) -> Vec<Figure> {
    let farm = Farm::start().await;
    for sent in (0..pending).step_by(AT_ONCE) {
        progress::phase(format!("scale: {sent} of {pending} jobs enqueued"));
        jobs::all(&farm.view, &jobs::jobs(AT_ONCE.min(pending - sent))).await;
    }
    progress::phase("scale: the monitor reads them");
    let started = Instant::now();
    let _monitor = TestMonitor::start(&farm).await;
    let asked = async || ask(&farm.view).await;
    let first = poll::until_within(MINUTE * 10, "the first number", asked).await;
    let first_after = started.elapsed().as_secs_f64();
    assert_eq!(first.startable, pending as u64);

    progress::phase("scale: workers come and go");
    let truth = Arc::new(Truth::default());
    let used = || outside::processor_seconds(farm.broker.id()).expect("it runs");
    let (before, started) = (used(), Instant::now());
    let coming = join_all((0..WORKERS).map(|number| visit(&farm, number, Arc::clone(&truth))));
    let looking = look(&farm.view, pending as u64, &truth, started);
    let (_, looks) = tokio::join!(coming, looking);
    let share = (used() - before) / started.elapsed().as_secs_f64() * 100.0;
    let minute = started.elapsed().as_secs_f64();
    let done = truth.done.load(Ordering::Relaxed);
    let wrong = looks.iter().filter(|look| look.is_wrong).count();
    let times: Vec<f64> = looks.iter().map(|look| look.took).collect();
    vec![
        Figure::informs(
            "scale: monitor started with these pending jobs until its first number",
            format!("{pending} in {first_after:.1} s"),
        ),
        Figure {
            what: "scale: numbers and decisions that the truth contradicts, while 2000 workers come and go within a minute",
            measured: format!("{wrong} of {}", looks.len()),
            goal: "0".to_owned(),
            reached: Some(wrong == 0),
        },
        Figure::informs(
            "scale: one number, meanwhile, median",
            format!("{:.0} ms", median(&times)),
        ),
        Figure::informs(
            "scale: broker's CPU, and no-op jobs done meanwhile",
            format!("{share:.0} % of a core, {:.0}/s", done as f64 / minute),
        ),
    ]
}

/// All workers at once, until no job is left.
async fn drain() -> Figure {
    progress::phase("scale: 2000 workers empty a queue");
    let farm = Farm::start().await;
    jobs::all(&farm.view, &jobs::jobs(DRAINED)).await;
    let truth = Arc::new(Truth::default());
    let started = Instant::now();
    let stays = join_all((0..WORKERS).map(|number| {
        let (farm, truth) = (&farm, Arc::clone(&truth));
        async move {
            let (worker, done) = arrive(farm, number, &truth).await;
            poll::until_within(MINUTE * 5, "all jobs to be done", async || {
                (truth.done.load(Ordering::Relaxed) >= DRAINED as u64).then_some(())
            })
            .await;
            worker.stop().await;
            done.abort();
        }
    }));
    let emptied = poll::until_within(MINUTE * 5, "all jobs to be done", async || {
        let done = truth.done.load(Ordering::Relaxed);
        (done >= DRAINED as u64).then(|| started.elapsed().as_secs_f64())
    });
    let (seconds, _) = tokio::join!(emptied, stays);
    Figure::informs(
        "scale: 2000 workers that join a queue of 50000 no-op jobs, until it is empty",
        format!("{seconds:.0} s, {:.0} jobs/s", DRAINED as f64 / seconds),
    )
}

/// A worker comes, takes jobs, and goes.
async fn visit(farm: &Farm, number: usize, truth: Arc<Truth>) {
    let share = number as f64 / WORKERS as f64;
    tokio::time::sleep((MINUTE - STAY).mul_f64(share)).await;
    let (worker, told) = arrive(farm, number, &truth).await;
    tokio::time::sleep(STAY).await;
    worker.stop().await;
    told.abort();
}

/// A worker with a connection of its own, as if it were alone in its process.
async fn arrive(
    farm: &Farm,
    number: usize,
    truth: &Arc<Truth>,
) -> (Worker, tokio::task::JoinHandle<()>) {
    let (claimed, mut claims) = mpsc::unbounded_channel();
    let (done, mut ends) = mpsc::unbounded_channel();
    let name = format!("cpu-{number}");
    let broker = poll::until("the broker to take a worker", async || {
        let options = ConnectOptions::new(farm.broker.url(), name.as_str());
        Broker::connect(&options).await.ok()
    })
    .await;
    let setup = Setup {
        name: name.parse().expect("a name"),
        card: testing::heartbeat(&name, &["libx264"]).card,
        slots: 1,
        scratch: &farm.scratch(),
        claimed,
        done,
    };
    let (mut worker, dispatcher) = Worker::join(&broker, setup);
    worker.work(dispatcher);
    let truth = Arc::clone(truth);
    let told = tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(_) = claims.recv() => truth.claimed.fetch_add(1, Ordering::Relaxed),
                Some(_) = ends.recv() => truth.done.fetch_add(1, Ordering::Relaxed),
                else => return,
            };
        }
    });
    (worker, told)
}

async fn ask(broker: &Broker) -> Option<Scale> {
    let question = ScaleQuestion {
        queues: vec![queue()],
        prefix: "cpu-".to_owned(),
        jobs_per_worker: NonZeroU32::MIN,
    };
    broker.scale(&question).await.ok()
}

/// Looks as an autoscaler does, and compares each number and decision with the truth.
async fn look(broker: &Broker, pending: u64, truth: &Truth, started: Instant) -> Vec<Look> {
    let rules = Rules {
        min: 0,
        max: WORKERS as u32,
        jobs_per_worker: NonZeroU32::MIN,
        up_per_minute: WORKERS as u32,
        down_per_minute: WORKERS as u32,
        cool_down: 0,
        start_within: 300,
    };
    let lease = AutoscalerLease {
        holder: Uuid::nil(),
        host: "here".to_owned(),
        until: jiff::Timestamp::MAX,
    };
    let name = "cpu".parse().expect("a name");
    let mut record = Autoscaler::new(name, vec![queue()], rules, lease);
    let waiting = || pending.saturating_sub(truth.claimed.load(Ordering::Relaxed));
    let mut before = VecDeque::from([(Instant::now(), pending)]);
    let mut looks = Vec::new();
    while started.elapsed() < MINUTE {
        tokio::time::sleep(LOOK).await;
        before.push_back((Instant::now(), waiting()));
        while before.len() > 1 && before[1].0.elapsed() > FRESH {
            before.pop_front();
        }
        let asked = Instant::now();
        let Some(scale) = ask(broker).await else {
            looks.push(Look {
                took: f64::NAN,
                is_wrong: true,
            });
            continue;
        };
        let took = asked.elapsed().as_secs_f64() * 1e3;
        let live = broker.live_workers().await.expect("an answer");
        // The workers of this benchmark are its own.
        for worker in &live.workers {
            let started = Started::new(broker.now());
            record.workers.entry(worker.name.clone()).or_insert(started);
        }
        let seen = Seen {
            scale,
            workers: &live.workers,
            is_complete: true,
            orders: &Orders::default(),
            now: broker.now(),
        };
        let mut fresh = || format!("new-{}", Uuid::new_v4()).parse().expect("a name");
        let (next, steps) = record.decide(&seen, &mut fresh);
        record.workers = next.workers;
        record
            .workers
            .retain(|name, _| !name.as_str().starts_with("new-"));
        // Jobs only become fewer. What a worker has just claimed may not be told yet, and what it gives back when it goes
        // is told of as claimed: one for each at the most.
        let counted = scale.startable + scale.covered;
        let (most, least) = (before[0].1, waiting().saturating_sub(WORKERS as u64));
        let is_true = counted <= most + WORKERS as u64 && counted >= least;
        let drains = steps.iter().any(|step| matches!(step, Step::Drain(_)));
        let starts = steps.iter().any(|step| matches!(step, Step::Start(_)));
        let has_room = live.workers.len() < WORKERS / 2;
        let is_wise = if waiting() > 2 * WORKERS as u64 {
            !drains && (starts || !has_room)
        } else {
            true
        };
        if !is_true || !is_wise {
            eprintln!("{counted} jobs counted, {least} to {most} are true; {steps:?}");
        }
        looks.push(Look {
            took,
            is_wrong: !is_true || !is_wise,
        });
    }
    looks
}
