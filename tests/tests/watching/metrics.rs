//! What a worker tells Prometheus of itself.

use std::time::Duration;

use harness::farm::Farm;
use harness::paths;
use harness::poll;
use harness::programs::Worker;

/// The address of a worker's metrics, as its log names it.
pub(crate) async fn address(worker: &Worker) -> String {
    poll::until("the address of the metrics", async || {
        let log = worker.process.log();
        let (_, after) = log.split_once("metrics are at ")?;
        let address = after.split_whitespace().next()?;
        Some(address.trim_end_matches('"').to_owned())
    })
    .await
}

fn client() -> reqwest::Client {
    // If another test was quicker, its provider is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

pub(crate) async fn read(address: &str) -> String {
    let answer = client().get(address).send().await.unwrap();
    assert!(answer.status().is_success());
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// The value of a sample.
fn value(metrics: &str, sample: &str) -> f64 {
    let mut lines = metrics.lines();
    let found = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("there is no {sample}\n{metrics}"));
    found.parse().unwrap()
}

#[tokio::test]
async fn a_worker_tells_its_state_and_its_work() {
    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264");
    let setup = setup.option("--metrics", "127.0.0.1:0");
    let worker = farm.join(setup.option("--max-jobs", "3")).await;
    let address = address(&worker).await;

    let metrics = read(&address).await;
    assert_eq!(value(&metrics, "ffmpeg_easy_worker_slots"), 3.0);
    assert_eq!(value(&metrics, "ffmpeg_easy_worker_ready"), 1.0);
    assert_eq!(value(&metrics, "ffmpeg_easy_worker_quarantined"), 0.0);
    assert_eq!(value(&metrics, "ffmpeg_easy_worker_broker_up"), 1.0);
    assert!(value(&metrics, "ffmpeg_easy_worker_scratch_free_bytes") > 1e6);
    assert!(
        metrics.contains("ffmpeg_easy_worker_info{worker=\"w\""),
        "{metrics}"
    );
    let confined = value(&metrics, "ffmpeg_easy_worker_sandbox{part=\"files\"}");
    assert_eq!(confined, 1.0, "tests run where ffmpeg can be confined");
    let starts = value(&metrics, "ffmpeg_easy_worker_tool_starts_total");

    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    let (_, report) = farm.completed(&job.id).await;
    let broken = farm.folder().join("broken.mkv");
    std::fs::write(&broken, "no film").unwrap();
    let refused = farm.job(&broken, "libx264");
    farm.enqueue(&refused).await;
    farm.ended(&refused.id).await;

    let metrics = poll::until("both ends to be counted", async || {
        let metrics = read(&address).await;
        let running = "ffmpeg_easy_worker_jobs_running{encoder=\"libx264\"}";
        (value(&metrics, running) == 0.0).then_some(metrics)
    })
    .await;
    let of = |name: &str| value(&metrics, &format!("{name}{{encoder=\"libx264\"}}"));
    assert_eq!(of("ffmpeg_easy_worker_jobs_completed_total"), 1.0);
    assert_eq!(
        of("ffmpeg_easy_worker_input_bytes_total"),
        report.input_size as f64
    );
    assert_eq!(
        of("ffmpeg_easy_worker_output_bytes_total"),
        report.output_size as f64
    );
    let seconds = of("ffmpeg_easy_worker_encode_seconds_total");
    assert!((seconds - report.encode_seconds).abs() < 1e-6, "{seconds}");
    let failed = |fault: &str| {
        let sample = format!(
            "ffmpeg_easy_worker_jobs_failed_total{{encoder=\"libx264\",fault=\"{fault}\"}}"
        );
        value(&metrics, &sample)
    };
    assert_eq!(["input", "worker", "passing"].map(failed), [1.0, 0.0, 0.0]);
    // A probe, an encode and a check at least.
    let more = value(&metrics, "ffmpeg_easy_worker_tool_starts_total") - starts;
    assert!(more >= 4.0, "{more}");
}

#[tokio::test]
async fn a_worker_without_its_broker_says_so_and_nothing_else_is_served() {
    let mut farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264");
    let worker = farm.join(setup.option("--metrics", "127.0.0.1:0")).await;
    let address = address(&worker).await;
    let root = address.trim_end_matches("/metrics").to_owned();
    let client = client();
    let other = client.get(&root).send().await.unwrap();
    assert_eq!(other.status().as_u16(), 404);
    let posted = client.post(&address).body("x").send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 405);
    // One that only connects keeps no others out.
    let idle: Vec<_> = (0..8)
        .map(|_| std::net::TcpStream::connect(root.trim_start_matches("http://")).unwrap())
        .collect();
    read(&address).await;
    drop(idle);

    farm.broker.kill();
    poll::until_within(Duration::from_secs(60), "the loss to be told", async || {
        let metrics = read(&address).await;
        (value(&metrics, "ffmpeg_easy_worker_broker_up") == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_address_in_use_is_refused_before_anything_begins() {
    let farm = Farm::start().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = farm.worker("w").encoders("libx264");
    let mut worker = setup.option("--metrics", &*address).spawn();
    let status = worker.process.wait().await;
    assert_eq!(status.code(), Some(2));
    let log = worker.process.log();
    assert!(log.contains(&address) && log.contains("--metrics"), "{log}");
}
