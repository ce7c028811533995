//! Jobs without work: what the queue itself costs.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::testing;
use harness::farm::Farm;
use harness::poll;
use harness::servers::broker::Flush;
use tokio::sync::mpsc;

use crate::figure::{Figure, Rates};
use crate::jobs::SLOTS;
use crate::raw::Style;
use crate::worker::{Setup, Worker};
use crate::{jobs, raw};
const JOBS: usize = 5000;
/// Jobs before the measurement: they make lanes and warm caches.
const WARM_UP: usize = 200;

/// The rates of one peer, for the comparison: `peer NAME JOBS always|seldom`.
pub(crate) async fn peer(arguments: &[String]) -> Rates {
    let [name, count, flush] = arguments else {
        panic!("give a name, a number of jobs, and `always` or `seldom`");
    };
    let count = count.parse().expect("a number of jobs");
    let flush = match flush.as_str() {
        "always" => Flush::Always,
        "seldom" => Flush::Seldom,
        other => panic!("`always` or `seldom`, not {other}"),
    };
    match name.as_str() {
        "ffmpeg-easy" => ours(count, flush).await,
        "jetstream-each" => raw::rates(Style::EachAwaited, count, flush).await,
        "jetstream-pipelined" => raw::rates(Style::Pipelined, count, flush).await,
        "jetstream-batched" => raw::rates(Style::Batched, count, flush).await,
        other => panic!("no peer of the name {other}"),
    }
}

pub(crate) async fn measure() -> Vec<Figure> {
    let mut figures = Vec::new();
    let kinds = [
        ("no-op jobs, each write flushed", Flush::Always),
        ("no-op jobs, flushed every two minutes", Flush::Seldom),
    ];
    for (what, flush) in kinds {
        let Rates { enqueue, process } = ours(JOBS, flush).await;
        figures.push(Figure {
            what,
            measured: format!("enqueued {enqueue:.0}/s, done {process:.0}/s"),
            goal: String::new(),
            reached: None,
        });
    }
    figures
}

/// This queue, with a worker in this process.
async fn ours(count: usize, flush: Flush) -> Rates {
    let farm = Farm::flushing(flush).await;
    let broker = &farm.view;
    let jobs = jobs::jobs(WARM_UP);
    jobs::all(broker, &jobs).await;
    work(&farm, WARM_UP).await;

    let jobs = jobs::jobs(count);
    let started = Instant::now();
    jobs::all(broker, &jobs).await;
    let enqueue = count as f64 / started.elapsed().as_secs_f64();
    let took = work(&farm, count).await;
    // Acknowledgements are not awaited, so the last ones may still be under way.
    let what = "every job to be acknowledged";
    poll::until(what, async || {
        // As an idle worker does regularly.
        broker.remove_front_marker().await.ok()?;
        (farm.queued().await == 0).then_some(())
    })
    .await;
    Rates {
        enqueue,
        process: count as f64 / took.as_secs_f64(),
    }
}

/// Runs a worker for so many jobs. Returns the time from the first claim to the last completion.
async fn work(farm: &Farm, count: usize) -> Duration {
    let (claimed, mut claims) = mpsc::unbounded_channel();
    let (done, mut ends) = mpsc::unbounded_channel();
    let setup = Setup {
        name: "noop".parse().expect("a name"),
        card: testing::heartbeat("noop", &["libx264"]).card,
        slots: SLOTS,
        scratch: &farm.scratch(),
        claimed,
        done,
    };
    let (mut worker, dispatcher) = Worker::join(&farm.view, setup);
    worker.work(dispatcher);
    let (_, first) = claims.recv().await.expect("it works");
    let mut last = first;
    let mut jobs = HashSet::new();
    while jobs.len() < count {
        let (job, at) = ends.recv().await.expect("it works");
        assert!(jobs.insert(job), "every job is done once");
        last = at;
    }
    worker.stop().await;
    last - first
}
