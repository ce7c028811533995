//! A producer, or its broker, that is killed in the middle of an enqueue.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::farm::Farm;
use harness::faults::proxy::{Held, Protocol, Proxy};
use harness::outside::audit::Auditor;
use harness::process::{Daemon, Ran};
use harness::{paths, poll};

/// More than one batch.
const JOBS: usize = 1500;
/// The job at which the enqueue is stopped, in the middle of the second batch.
const HALF_WAY: usize = 1250;

struct Case {
    farm: Farm,
    proxy: Proxy,
    films: PathBuf,
}

impl Case {
    async fn new() -> Self {
        let farm = Farm::start().await;
        let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
        let films = farm.folder().join("films");
        std::fs::create_dir(&films).unwrap();
        let film = films.join("film-0.webm");
        std::fs::copy(paths::media("odd-size.webm"), &film).unwrap();
        for number in 1..JOBS {
            std::fs::hard_link(&film, films.join(format!("film-{number}.webm"))).unwrap();
        }
        Self { farm, proxy, films }
    }

    fn command(&self, nats: &str) -> std::process::Command {
        let mut command = self.farm.producer_command();
        command
            .env("NATS_URL", nats)
            .arg("enqueue")
            .arg(&self.films)
            .arg("-o")
            .arg(self.farm.out())
            .args(["--encoder", "libx264"]);
        command
    }

    /// Starts to enqueue, and stops at half of the jobs.
    async fn half_way(&self) -> (Daemon, Held) {
        let sent = AtomicUsize::new(0);
        let mut held = self.proxy.hold(move |request| {
            request.subject.starts_with("jobs.") && sent.fetch_add(1, Ordering::Relaxed) == HALF_WAY
        });
        let log = self.farm.folder().join("producer.log");
        let command = self.command(&self.proxy.nats_url());
        let producer = Daemon::start("producer", command, &log);
        held.caught("half of the second batch").await;
        (producer, held)
    }

    /// Enqueues the same jobs again, undisturbed.
    async fn again(&self) -> Ran {
        harness::process::run(self.command(self.farm.url()))
            .await
            .succeeded()
    }

    /// Every job is there exactly once.
    async fn assert_complete(&self) {
        let auditor = Auditor::connect(self.farm.url()).await;
        let queued = auditor.queued().await.unwrap();
        let different: BTreeSet<&String> = queued.iter().collect();
        assert_eq!((queued.len(), different.len()), (JOBS, JOBS));
    }
}

#[tokio::test]
async fn a_producer_killed_half_way_is_run_again_and_doubles_nothing() {
    let case = Case::new().await;
    let (mut producer, held) = case.half_way().await;
    producer.kill();
    // The rest of what the producer had sent arrives after its end: a batch with a gap.
    drop(held);
    let said = case.again().await.stderr;
    assert!(said.contains("1000 pending already"), "{said}");
    case.assert_complete().await;
}

#[tokio::test]
async fn a_broker_killed_half_way_loses_no_job_that_it_acknowledged() {
    let mut case = Case::new().await;
    let (mut producer, held) = case.half_way().await;
    case.farm.broker.kill();
    drop(held);
    case.farm.broker.restart().await;
    let auditor = Auditor::connect(case.farm.url()).await;
    let queued = poll::until("the broker to say what it has", async || {
        auditor.queued().await.ok()
    })
    .await;
    assert_eq!(queued.len(), 1000, "a batch is whole or not there");
    let status = producer.wait().await;
    if !status.success() {
        case.again().await;
    }
    case.assert_complete().await;
}
