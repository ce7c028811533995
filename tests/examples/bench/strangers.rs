//! A monitor with 500 strangers at its door: its memory, and how long an operator waits for the page.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::farm::Farm;
use harness::faults::strangers;
use harness::programs::monitor::TestMonitor;
use harness::{outside, process, programs};
use reqwest::header::AUTHORIZATION;

use crate::figure::{Figure, median};

const STRANGERS: u32 = 500;
const WATCHED: Duration = Duration::from_secs(60);
/// What a browser asks for when somebody opens the page.
const PAGE: [&str; 5] = [
    "/",
    "/assets/app.js",
    "/api/v1/session",
    "/api/v1/state",
    "/api/v1/jobs",
];
const MIB: f64 = (1 << 20) as f64;

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let access = farm.folder().join("access.txt");
    let mut command = programs::command("monitor", farm.folder());
    command
        .args(["token", "anna", "--role", "operator", "--access"])
        .arg(&access);
    let token = process::run(command).await.succeeded().stdout;
    let access = access.to_str().expect("a plain path");
    let url = farm.broker.url_for("monitor");
    let monitor = TestMonitor::start_with(&farm, &url, &["--access", access]).await;
    let to: SocketAddr = monitor
        .url()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");

    let client = reqwest::Client::new();
    let bearer = format!("Bearer {}", token.trim());
    let open = async || {
        let started = Instant::now();
        for path in PAGE {
            let request = client.get(format!("{}{path}", monitor.url()));
            let answer = request.header(AUTHORIZATION, &bearer).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.expect("all of it");
        }
        started.elapsed().as_secs_f64() * 1e3
    };
    open().await;
    let memory = || outside::resident_memory(monitor.process.id()).expect("it runs") as f64 / MIB;
    let (before, mut largest) = (memory(), 0_f64);
    let coming = strangers::come(STRANGERS, to);
    let started = Instant::now();
    let mut times = Vec::new();
    while started.elapsed() < WATCHED {
        times.push(open().await);
        largest = largest.max(memory());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(coming);
    let slowest = times.iter().copied().fold(0.0, f64::max);
    vec![
        Figure {
            what: "500 strangers for a minute: monitor's memory",
            measured: format!("{before:.0} MiB before, {largest:.0} MiB at most"),
            goal: "≤ 64 MiB".to_owned(),
            reached: Some(largest <= 64.0),
        },
        Figure {
            what: "500 strangers for a minute: an operator opens the page (5 requests)",
            measured: format!(
                "median {:.0} ms, slowest of {} {slowest:.0} ms",
                median(&times),
                times.len()
            ),
            goal: "≤ 1 s".to_owned(),
            reached: Some(slowest <= 1000.0),
        },
    ]
}
