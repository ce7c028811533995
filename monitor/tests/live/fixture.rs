//! A monitor on a broker of the test's own.

use std::time::Duration;

use clap::Parser;
use common::broker::{Broker, ConnectOptions};
use common::job::Job;
use common::job::batch::Batch;
use common::job::id::JobId;
use jiff::Timestamp;
use monitor::Config;
use tokio_util::sync::CancellationToken;

use crate::client::{Page, get};
use crate::farm;
use crate::server::Server;

/// A monitor that runs within the test.
pub(crate) struct Monitor {
    pub(crate) server: Server,
    pub(crate) broker: Broker,
    pub(crate) address: String,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), monitor::Error>>,
}

impl Monitor {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a monitor with more options on its command line.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        Self::configured(more, |_| {}).await
    }

    /// Started so that it stops reading the farm this long after its last viewer left.
    pub(crate) async fn lingering(linger: Duration) -> Self {
        Self::configured(&[], |config| config.linger = linger).await
    }

    async fn configured(more: &[&str], change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::start();
        let url = server.url();
        let options = ConnectOptions::new(&url, "test");
        let broker = Broker::set_up(&options).await.expect("our own broker");
        let arguments = ["monitor", "--nats", &url]
            .into_iter()
            .chain(more.iter().copied());
        let mut config = Config::parse_from(arguments);
        change(&mut config);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(monitor::run(config, listener, shutdown.clone()));
        Self {
            server,
            broker,
            address,
            shutdown,
            task,
        }
    }

    pub(crate) async fn page(&self) -> Page {
        Page::open(&self.address).await
    }

    pub(crate) async fn enqueue(&self, name: &str, by: &str) -> Job {
        let job = farm::job(name, by, 1_000_000);
        let lane = farm::lane(&job, 5);
        self.broker
            .enqueue(&[(job.clone(), lane)], |_| {})
            .await
            .expect("enqueued");
        job
    }

    /// Stores a job's batch with a label.
    pub(crate) async fn keep_batch(&self, job: &Job, label: &str) {
        let batch = Batch {
            id: job.batch,
            label: label.to_owned(),
            jobs: 1,
            enqueued: Timestamp::now(),
            folder: None,
            trash: Vec::new(),
            film: None,
            library: None,
        };
        self.broker.keep_batch(&batch).await.expect("kept");
    }

    pub(crate) async fn heartbeat(&self, name: &str, running: Vec<JobId>) {
        let beat = farm::heartbeat(name, 2, running, &[("libx265", 61.0)]);
        self.broker.heartbeat(&beat).await.expect("heard");
    }

    pub(crate) async fn is_ready(&self) -> bool {
        get(&self.address, "/readyz", "").await.status == 200
    }

    pub(crate) async fn until_ready(&self, wanted: bool) {
        let wait = async {
            while self.is_ready().await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .unwrap_or_else(|_| panic!("/readyz does not become {wanted}"));
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("no panic").expect("a clean end");
    }
}
