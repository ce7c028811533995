//! A farm of a test's own: a broker and a folder. Workers join on demand.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::broker::{Broker, ConnectOptions, Enqueued, Replicas};
use common::farm::queue::{Lane, Priority};
use common::farm::worker::Heartbeat;
use common::job::Job;
use common::job::id::{BatchId, JobId};
use common::job::progress::Progress;
use common::job::record::JobRecord;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::names::subject;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::store::local_input;
use common::wire;
use futures::StreamExt;
use tempfile::TempDir;

use crate::process::{Ran, run};
use crate::programs::{Worker, WorkerSetup};
use crate::servers::broker::{Flush, TestBroker};
use crate::servers::cluster::TestCluster;
use crate::{paths, poll, programs};

/// How long a job of a test may go without a sign of life from its owner.
pub const ACK_WAIT: Duration = Duration::from_secs(3);

/// A farm on one broker or on a cluster of brokers.
pub struct Farm<B = TestBroker> {
    pub broker: B,
    /// The test's own connection to the broker.
    pub view: Broker,
    url: String,
    folder: TempDir,
}

impl Farm {
    /// A farm with a broker and without workers.
    pub async fn start() -> Self {
        Self::flushing(Flush::Always).await
    }

    /// A farm on a broker with roles. The test's own connection has the rights of the admin.
    pub async fn with_roles(broker: TestBroker, folder: TempDir) -> Self {
        let url = broker.url_for("admin");
        Self::on(broker, url, Replicas::ONE, ACK_WAIT, folder).await
    }

    /// A farm whose broker flushes otherwise than the shipped one.
    pub async fn flushing(flush: Flush) -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_for_farm(folder.path(), flush).await;
        let url = broker.url();
        Self::on(broker, url, Replicas::ONE, ACK_WAIT, folder).await
    }

    /// A farm with a lease that is longer than a test: only a message from its owner gives a job to another worker.
    pub async fn patient(lease: Duration) -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_for_farm(folder.path(), Flush::Always).await;
        let url = broker.url();
        Self::on(broker, url, Replicas::ONE, lease, folder).await
    }
}

impl Farm<TestCluster> {
    /// A farm without workers on a cluster that keeps three copies of everything.
    pub async fn start_cluster() -> Self {
        let folder = paths::test_folder();
        let cluster = TestCluster::start(folder.path()).await;
        let url = cluster.url();
        let replicas = TestCluster::SIZE.to_string().parse().expect("1, 3 or 5");
        Self::on(cluster, url, replicas, ACK_WAIT, folder).await
    }
}

/// The addresses of a broker for its users.
pub trait Addresses {
    /// For the user of a role.
    fn of_role(&self, role: &str) -> String;
    /// For a worker.
    fn of_worker(&self, name: &str) -> String;
}

impl Addresses for TestBroker {
    fn of_role(&self, role: &str) -> String {
        self.url_for(role)
    }

    fn of_worker(&self, name: &str) -> String {
        self.url_for_worker(name)
    }
}

impl Addresses for TestCluster {
    fn of_role(&self, role: &str) -> String {
        self.url_for(role)
    }

    fn of_worker(&self, name: &str) -> String {
        self.url_for_worker(name)
    }
}

impl<B: Addresses> Farm<B> {
    async fn on(
        broker: B,
        url: String,
        replicas: Replicas,
        lease: Duration,
        folder: TempDir,
    ) -> Self {
        let mut options = ConnectOptions::new(&url, "test");
        options.ack_wait = lease;
        options.replicas = replicas;
        // A young cluster has no leader yet.
        let view = poll::until("the broker to take us", async || {
            Broker::set_up(&options).await.ok()
        })
        .await;
        Self {
            broker,
            view,
            url,
            folder,
        }
    }

    /// The address for a client with all rights.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of all files of this farm.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of all scratch folders, one for each worker.
    pub fn scratch(&self) -> PathBuf {
        self.folder().join("scratch")
    }

    /// The scratch folder of one worker.
    pub fn scratch_of(&self, worker: &str) -> PathBuf {
        self.scratch().join(format!("ffmpeg-easy-scratch-{worker}"))
    }

    /// A folder for outputs.
    pub fn out(&self) -> PathBuf {
        self.folder().join("out")
    }

    /// Makes a folder with copies of these files.
    pub fn folder_of(&self, name: &str, files: &[PathBuf]) -> PathBuf {
        let folder = self.folder().join(name);
        copy_into(&folder, files);
        folder
    }

    /// The setup of a worker with one slot and a short lease. The worker is not started yet.
    pub fn worker(&self, name: &str) -> WorkerSetup {
        WorkerSetup::new(name, self.folder(), &self.broker.of_worker(name))
    }

    /// Starts a worker and waits until its heartbeat says that it is ready.
    pub async fn join(&self, setup: WorkerSetup) -> Worker {
        let mut worker = setup.spawn();
        self.ready(&mut worker).await;
        worker
    }

    /// Waits until a worker's heartbeat says that it is ready.
    pub async fn ready(&self, worker: &mut Worker) -> Heartbeat {
        let what = format!("worker {} to be ready", worker.name);
        poll::until(&what, async || {
            if let Some(status) = worker.process.ended() {
                panic!("worker {} ended: {status}", worker.name);
            }
            let heartbeat = self.heartbeat(&worker.name).await;
            heartbeat.filter(|heartbeat| heartbeat.started >= worker.started)
        })
        .await
    }

    /// The last heartbeat of a worker; `None` if the worker is not alive.
    pub async fn heartbeat(&self, worker: &str) -> Option<Heartbeat> {
        let workers = self.view.workers().await.ok()?;
        workers
            .into_iter()
            .find(|heartbeat| heartbeat.name.as_str() == worker)
    }

    /// The producer's command line for this farm, without its verb.
    pub fn producer_command(&self) -> Command {
        let mut command = programs::command("producer", self.folder());
        command.env("NATS_URL", self.broker.of_role("producer"));
        command
    }

    /// Runs the producer to its end.
    pub async fn producer<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        let mut command = self.producer_command();
        command.args(arguments);
        run(command).await
    }

    /// A job that encodes a local file by an encoder to `out/NAME.mkv`.
    pub fn job(&self, input: &Path, encoder: &str) -> Job {
        let metadata = std::fs::metadata(input).expect("the input is there");
        let location = Location::file(input).expect("an absolute path");
        let name = input.file_stem().unwrap_or_default().to_string_lossy();
        let output =
            Location::file(&self.out().join(format!("{name}.mkv"))).expect("an absolute path");
        Job::new(
            BatchId::new(),
            local_input(location, &metadata),
            output,
            recipe(encoder),
            None,
        )
    }

    /// Enqueues a job at the usual priority, without the producer.
    pub async fn enqueue(&self, job: &Job) -> Enqueued {
        let lane = Lane {
            priority: Priority::default(),
            queue: job.recipe.queue(),
        };
        let mut outcomes = self
            .view
            .enqueue(&[(job.clone(), lane)], |_| {})
            .await
            .expect("the broker takes it");
        outcomes.remove(0)
    }

    /// The run of a job; `None` if the job has not been claimed yet.
    pub async fn run(&self, job: &JobId) -> Option<Run> {
        match self.view.job(job).await {
            Ok(Some(JobRecord::Run(run))) => Some(*run),
            _ => None,
        }
    }

    /// Waits until the job's run meets a condition.
    pub async fn run_that(&self, job: &JobId, what: &str, wanted: impl Fn(&Run) -> bool) -> Run {
        let mut last = None;
        let found = tokio::time::timeout(poll::PATIENCE, async {
            loop {
                last = self.run(job).await;
                if let Some(run) = last.as_ref().filter(|run| wanted(run)) {
                    return run.clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        found.unwrap_or_else(|_| {
            panic!("waited in vain for job {job} to be {what}; it is {last:#?}")
        })
    }

    /// Waits until a job has ended in any way.
    pub async fn ended(&self, job: &JobId) -> Run {
        self.run_that(job, "at its end", |run| run.state.is_terminal())
            .await
    }

    /// Waits until a job has completed.
    pub async fn completed(&self, job: &JobId) -> (Run, Report) {
        let run = self.ended(job).await;
        match &run.state {
            RunState::Completed { report } => {
                let report = (**report).clone();
                (run, report)
            }
            _ => panic!("the job did not complete: {run:#?}"),
        }
    }

    /// Waits until a worker's ffmpeg reports encoded frames of a job.
    pub async fn encoding(&self, job: &JobId, worker: &Worker) -> Progress {
        let has_frames =
            |progress: &Progress| progress.encode.is_some_and(|encode| encode.frame > 0);
        self.progress_that(job, worker, has_frames).await
    }

    /// Waits until a worker has published when the encode of a job will end.
    pub async fn encoding_in_sight_of_its_end(&self, job: &JobId, worker: &Worker) -> Progress {
        let tells_its_end =
            |progress: &Progress| progress.encode.is_some() && progress.eta.is_some();
        self.progress_that(job, worker, tells_its_end).await
    }

    async fn progress_that(
        &self,
        job: &JobId,
        worker: &Worker,
        is_it: impl Fn(&Progress) -> bool,
    ) -> Progress {
        let subject = subject::progress(job);
        let mut reports = self
            .view
            .client()
            .subscribe(subject)
            .await
            .expect("connected");
        let encoding = async {
            while let Some(message) = reports.next().await {
                let progress: Progress = wire::decode(&message.payload).expect("progress");
                if progress.worker.as_str() == worker.name && is_it(&progress) {
                    return progress;
                }
            }
            panic!("the broker ended the subscription");
        };
        tokio::time::timeout(poll::PATIENCE, encoding)
            .await
            .unwrap_or_else(|_| panic!("worker {} reported nothing of the kind", worker.name))
    }

    /// The number of dead letters in the farm.
    pub async fn dead_letters(&self) -> u64 {
        self.messages(subject::DEAD).await
    }

    /// The number of messages in the work queue: jobs that are pending, running, or waiting for a retry.
    pub async fn queued(&self) -> u64 {
        self.messages(subject::JOBS).await
    }

    async fn messages(&self, stream: &str) -> u64 {
        // On a busy machine, the broker may need a second try.
        poll::until(stream, async || {
            let stream = self.view.jetstream().get_stream(stream).await.ok()?;
            Some(stream.cached_info().state.messages)
        })
        .await
    }
}

/// A recipe that encodes quickly with this encoder.
pub fn recipe(encoder: &str) -> Recipe {
    let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("an encoder")));
    video.preset = match encoder {
        "libx264" | "libx265" => Some("ultrafast".parse().expect("a word")),
        "libsvtav1" => Some("10".parse().expect("a word")),
        "libvpx-vp9" => Some("8".parse().expect("a word")),
        _ => None,
    };
    Recipe::encode(video).expect("a sound recipe")
}

/// Copies files into a folder, and makes the folder if it is missing.
pub fn copy_into(folder: &Path, files: &[PathBuf]) {
    std::fs::create_dir_all(folder).expect("a test's folder can be written");
    for file in files {
        let name = file.file_name().expect("a file has a name");
        std::fs::copy(file, folder.join(name)).expect("a test's folder can be written");
    }
}
