//! A million pending jobs: how they slow the broker and its clients down.

use std::time::Instant;

use common::broker::{Broker, Lanes, SteerResult};
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use harness::farm::Farm;
use harness::{outside, poll, progress};

use crate::figure::{Figure, median};
use crate::jobs;
use crate::jobs::{complete, queue};

const JOBS: usize = 1_000_000;
/// Jobs that are made, and kept in memory here, at once.
const AT_ONCE: usize = 20_000;
/// How often each operation is measured, for its median.
const TIMES: usize = 100;
/// How often a single job is read or steered.
const STEERED: usize = 7;
/// The jobs on one page of a listing.
const PAGE: usize = 1000;

/// The variable `PENDING` sets another number of jobs.
pub(crate) async fn measure() -> Vec<Figure> {
    let count = std::env::var("PENDING").map_or(JOBS, |count| count.parse().expect("a number"));
    let mut farm = Farm::start().await;
    let worker: WorkerName = "pending".parse().expect("a name");

    let mut among_none = Vec::new();
    for _ in 0..TIMES {
        let one = jobs::jobs(1);
        jobs::all(&farm.view, &one).await;
        among_none.push(claim(&farm.view, &worker).await);
    }
    let memory = |farm: &Farm| {
        let bytes = outside::resident_memory(farm.broker.id()).expect("it runs");
        bytes as f64 / f64::from(1 << 20)
    };
    let memory_before = memory(&farm);

    let started = Instant::now();
    let mut some = Vec::new();
    for sent in (0..count).step_by(AT_ONCE) {
        progress::phase(format!("pending: {sent} of {count} jobs enqueued"));
        let jobs = jobs::jobs(AT_ONCE.min(count));
        jobs::all(&farm.view, &jobs).await;
        some.extend(jobs.iter().step_by(AT_ONCE / 10).map(|(job, _)| job.id));
    }
    let enqueued = count as f64 / started.elapsed().as_secs_f64();
    let memory_after = memory(&farm);

    progress::phase("pending: claims, changes and listings among them");
    let mut among_all = Vec::new();
    for _ in 0..TIMES {
        among_all.push(claim(&farm.view, &worker).await);
    }
    let ratio = median(&among_all) / median(&among_none);

    // The last jobs, as the first ones have been claimed.
    let some: Vec<JobId> = some.into_iter().rev().collect();
    let (steered, rest) = some.split_at(some.len() / 2);
    let (mut looked_up, mut explained) = (Vec::new(), Vec::new());
    for job in rest.iter().take(STEERED) {
        let started = Instant::now();
        let found = farm.view.job(job).await.expect("an answer");
        looked_up.push(milliseconds(started));
        let record = found.expect("the job waits");
        farm.view.why(&record).await.expect("an answer");
        explained.push(milliseconds(started));
    }
    let mut lanes = Lanes::default();
    let found = farm.view.find_lanes(&[queue()], &mut lanes).await;
    found.expect("the broker lists them");
    let (mut glanced, mut mended) = (Vec::new(), Vec::new());
    for _ in 0..STEERED {
        let started = Instant::now();
        assert!(farm.view.has_work(&lanes).await.expect("an answer"));
        glanced.push(milliseconds(started));
        let started = Instant::now();
        farm.view
            .recreate_stuck_consumers(&lanes)
            .await
            .expect("an answer");
        mended.push(milliseconds(started));
    }
    let (cancelled, moved) = steer(&farm.view, steered).await;

    let started = Instant::now();
    let page = farm.view.queued(None, 1, PAGE).await.expect("an answer");
    let first_page = milliseconds(started);
    let started = Instant::now();
    let mut listed = page.0.len();
    let mut from = page.1;
    loop {
        let (page, next) = farm.view.queued(None, from, PAGE).await.expect("an answer");
        if page.is_empty() {
            break;
        }
        listed += page.len();
        from = next;
    }
    let all_pages = started.elapsed().as_secs_f64();

    progress::phase("pending: the broker restarts");
    farm.broker.stop().await;
    let after_stop = restart(&mut farm).await;
    farm.broker.kill();
    let after_kill = restart(&mut farm).await;

    vec![
        Figure::informs(
            "pending: jobs enqueued until there were as many",
            format!("{count} at {enqueued:.0}/s"),
        ),
        Figure {
            what: "pending: claim among all of them / among none, median",
            measured: format!(
                "{ratio:.2} ({:.2} ms / {:.2} ms)",
                median(&among_all),
                median(&among_none)
            ),
            goal: "≤ 1.5".to_owned(),
            reached: Some(ratio <= 1.5),
        },
        within("pending: one job looked up, median", &looked_up),
        within("pending: why one job waits, median", &explained),
        within("pending: one job cancelled, median", &cancelled),
        within("pending: one job moved to another priority, median", &moved),
        Figure::informs(
            "pending: what a worker asks now and then: whether jobs are held; whether any were forgotten",
            format!("{:.1} ms; {:.1} ms", median(&glanced), median(&mended)),
        ),
        Figure::informs(
            "pending: broker's memory, before and with them",
            format!("{memory_before:.0} MiB, {memory_after:.0} MiB"),
        ),
        at_most_5_s("pending: broker restarted after it was stopped", after_stop),
        at_most_5_s("pending: broker restarted after it was killed", after_kill),
        Figure::informs(
            "pending: a page of 1000 of them; all of them, page by page",
            format!("{first_page:.1} ms; {listed} in {all_pages:.1} s"),
        ),
    ]
}

/// Claims one job and completes it. Returns how long the claim took.
async fn claim(broker: &Broker, worker: &WorkerName) -> f64 {
    let mut lanes = Lanes::default();
    let found = broker.find_lanes(&[queue()], &mut lanes).await;
    found.expect("the broker lists them");
    let started = Instant::now();
    let look = broker.poll(&lanes, worker, 1).await.expect("an answer");
    let took = milliseconds(started);
    let (claim, ()) = look.claims.into_iter().next().expect("a job waits");
    complete(claim, worker.clone())
        .await
        .expect("the job is ours");
    took
}

/// Cancels half of these jobs, and moves the other half.
async fn steer(broker: &Broker, jobs: &[JobId]) -> (Vec<f64>, Vec<f64>) {
    let (to_cancel, to_move) = jobs.split_at(jobs.len() / 2);
    let (mut cancelled, mut moved) = (Vec::new(), Vec::new());
    for job in to_cancel.iter().take(STEERED) {
        let started = Instant::now();
        let steered = broker.cancel(job).await;
        cancelled.push(milliseconds(started));
        assert!(
            matches!(steered, Ok(SteerResult::Done(_)) | Err(_)),
            "{steered:?}"
        );
    }
    let urgent = Priority::try_from(9).expect("in range");
    for job in to_move.iter().take(STEERED) {
        let started = Instant::now();
        let steered = broker.move_job(job, None, Some(urgent)).await;
        moved.push(milliseconds(started));
        assert!(
            matches!(steered, Ok(SteerResult::Done(_)) | Err(_)),
            "{steered:?}"
        );
    }
    (cancelled, moved)
}

/// Seconds until a restarted broker answers.
async fn restart(farm: &mut Farm) -> f64 {
    let started = Instant::now();
    farm.broker.restart().await;
    poll::until("the broker to answer", async || {
        let client = async_nats::connect(farm.broker.url()).await.ok()?;
        let jetstream = async_nats::jetstream::new(client);
        jetstream
            .get_stream(common::names::subject::JOBS)
            .await
            .ok()
    })
    .await;
    started.elapsed().as_secs_f64()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn within(what: &'static str, times: &[f64]) -> Figure {
    let time = median(times);
    Figure {
        what,
        measured: format!("{time:.2} ms"),
        goal: "≤ 50 ms".to_owned(),
        reached: Some(time <= 50.0),
    }
}

fn at_most_5_s(what: &'static str, seconds: f64) -> Figure {
    Figure {
        what,
        measured: format!("{seconds:.2} s"),
        goal: "≤ 5 s".to_owned(),
        reached: Some(seconds <= 5.0),
    }
}
