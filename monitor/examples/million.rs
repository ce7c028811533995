//! What the monitor costs with a million pending jobs, and then with as many that
//! are completed:
//! `cargo build --release -p ffmpeg-easy-monitor && cargo run --release -p ffmpeg-easy-monitor --example million [JOBS]`.
//! It needs nats-server and /proc.

#[path = "../tests/live/client.rs"]
#[allow(dead_code, reason = "the tests follow more closely")]
mod client;
#[path = "../tests/live/farm.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod farm;
#[path = "../tests/live/server.rs"]
mod server;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Page, get};
use common::broker::{Broker, ConnectOptions, EnqueueResult};
use common::job::run::Run;
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

/// Pages that are open at the same time.
const PAGES: usize = 100;
/// How long they are watched.
const WATCHED: Duration = Duration::from_secs(20);
/// Runs that are written at the same time.
const WRITES: usize = 64;
/// Ticks of the clock in /proc in a second, on every Linux of today.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() {
    let jobs: usize = std::env::args()
        .nth(1)
        .map_or(1_000_000, |count| count.parse().expect("a number of jobs"));
    let mut count = jobs;
    let server = server::Server::start();
    let broker = Broker::set_up(&ConnectOptions::new(server.url(), "million"))
        .await
        .expect("our own broker");
    let began = Instant::now();
    for start in (0..count).step_by(20_000) {
        enqueue(&broker, start..(start + 20_000).min(count)).await;
    }
    println!("enqueued {count} jobs in {:.0?}", began.elapsed());

    let address = "127.0.0.1:18099";
    let monitor = Monitor::start(&server.url(), address);
    while std::net::TcpStream::connect(address).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    let mut page = Page::open(address).await;
    page.until("a first state", |state| state["totals"].is_object())
        .await;
    println!("first state after {:.0?}", began.elapsed());
    while page.state["listing"]["complete"] != true {
        assert!(page.event().await, "the monitor ended");
    }
    println!(
        "all listed after {:.1?}, {}",
        began.elapsed(),
        monitor.memory()
    );

    for (what, path) in [
        ("page", "/"),
        ("state", "/api/v1/state"),
        ("jobs", "/api/v1/jobs"),
        ("jobs by name", "/api/v1/jobs?sort=name"),
        (
            "jobs by priority",
            "/api/v1/jobs?sort=priority&descending=true",
        ),
        ("jobs by text", "/api/v1/jobs?text=episode%20777"),
        ("jobs, deep", "/api/v1/jobs?offset=500000"),
        ("history", "/api/v1/history"),
        ("batches", "/api/v1/batches"),
        ("metrics", "/metrics"),
    ] {
        let began = Instant::now();
        let answer = get(address, path, "").await;
        assert_eq!(answer.status, 200, "{path}");
        println!("{what}: {:.0?}", began.elapsed());
    }
    println!("{}", monitor.memory());

    for nth in 1..=5 {
        let revision = page.state["listing"]["revision"].clone();
        let began = Instant::now();
        enqueue(&broker, count..count + nth).await;
        count += nth;
        let listed = page
            .until("it is listed", |state| {
                state["listing"]["revision"] != revision
            })
            .await;
        let pending = serde_json::json!(count);
        page.until("it is counted", |state| {
            state["totals"]["pending"] == pending
        })
        .await;
        println!(
            "a new job is listed after {listed:.0?}, counted after {:.0?}",
            began.elapsed()
        );
    }

    let idle = monitor.cpu();
    tokio::time::sleep(WATCHED).await;
    let idle = monitor.cpu() - idle;
    println!("one page open: {:.2} cores", idle / WATCHED.as_secs_f64());

    let mut pages = Vec::new();
    for nth in 0..PAGES {
        pages.push(tokio::spawn(async move { watch(address, nth).await }));
    }
    let producer = broker.clone();
    let enqueuing = tokio::spawn(async move {
        for start in count.. {
            enqueue(&producer, start..start + 1).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let busy = monitor.cpu();
    tokio::time::sleep(WATCHED).await;
    let busy = monitor.cpu() - busy;
    println!(
        "{PAGES} pages open, ten jobs enqueued a second: {:.2} cores, {}",
        busy / WATCHED.as_secs_f64(),
        monitor.memory()
    );
    enqueuing.abort();
    for page in pages {
        page.abort();
    }

    let began = Instant::now();
    complete(&broker, 0..jobs).await;
    println!("wrote {jobs} completed jobs in {:.0?}", began.elapsed());
    while page.state["totals"]["completed"] != jobs {
        assert!(page.event().await, "the monitor ended");
    }
    for path in ["/api/v1/history", "/api/v1/history?hours=2160"] {
        let began = Instant::now();
        let answer = get(address, path, "").await;
        assert_eq!(answer.status, 200, "{path}");
        println!("{path}, all completed: {:.0?}", began.elapsed());
    }
    println!("{}", monitor.memory());
}

/// One open page: half of them overviews, half tables of jobs that ask again
/// whenever something has changed.
async fn watch(address: &str, nth: usize) {
    let mut page = Page::open(address).await;
    let mut seen = page.state["listing"]["revision"].clone();
    while page.event().await {
        let revision = page.state["listing"]["revision"].clone();
        if nth % 2 == 1 && revision != seen {
            seen = revision;
            get(address, "/api/v1/jobs?descending=true", "").await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn enqueue(broker: &Broker, numbers: std::ops::Range<usize>) {
    let batch = common::job::id::BatchId::new();
    let jobs: Vec<_> = numbers
        .map(|number| {
            let job = common::job::Job {
                batch,
                ..episode(number)
            };
            let lane = farm::lane(&job, 5);
            (job, lane)
        })
        .collect();
    let outcomes = broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    let refused = outcomes
        .iter()
        .find(|(_, outcome)| *outcome != EnqueueResult::Added);
    assert!(refused.is_none(), "{refused:?}");
}

fn episode(number: usize) -> common::job::Job {
    let name = format!(
        "series/Season {}/Some longer title of an episode {number:07}.mkv",
        number / 10_000
    );
    farm::job(&name, "libx265", 1_000_000 + number as u64)
}

/// Has all of them completed in the last days, by twenty workers with three
/// encoders each.
async fn complete(broker: &Broker, numbers: std::ops::Range<usize>) {
    let now = Timestamp::now();
    let write = |number: usize| {
        let worker = format!("worker-{:02}", number % 20);
        let by = ["libx265", "libx264", "libsvtav1"][number % 3];
        let job = episode(number);
        let lane = farm::lane(&job, 5);
        let name = worker.parse().expect("a name");
        let ended = now - SignedDuration::from_secs(number as i64 % (3 * 86_400));
        let run = Run::first(job, &lane, 1, name, ended);
        let run = run.complete(farm::report(&worker, by), ended);
        async move { farm::write_run(broker, &run).await }
    };
    futures::stream::iter(numbers)
        .map(write)
        .buffer_unordered(WRITES)
        .for_each(|()| std::future::ready(()))
        .await;
}

struct Monitor(Child);

impl Monitor {
    fn start(nats: &str, address: &str) -> Self {
        let here = std::env::current_exe().expect("a path");
        let program: PathBuf = here.ancestors().nth(2).expect("a profile").join("monitor");
        let child = Command::new(program)
            .args(["--nats", nats, "--listen", address])
            .stderr(Stdio::null())
            .spawn()
            .expect("the monitor is built: cargo build --release -p ffmpeg-easy-monitor");
        Self(child)
    }

    /// What it holds, and has held at the most.
    fn memory(&self) -> String {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
            kilobytes
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or_default()
                / 1024
        };
        format!(
            "{} MiB held, {} MiB at the most",
            line("VmRSS"),
            line("VmHWM")
        )
    }

    /// Seconds of processor time so far.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it runs");
        let after = stat.rsplit_once(')').expect("a name").1;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks = |nth: usize| fields[nth].parse::<f64>().expect("ticks");
        (ticks(11) + ticks(12)) / TICKS
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
