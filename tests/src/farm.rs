//! A farm of a test's own: a broker, a folder, and whoever joins.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::broker::{Broker, ConnectOptions, Enqueued};
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

/// How long a job of a test may go without a sign of life.
pub const ACK_WAIT: Duration = Duration::from_secs(3);

/// A farm of a test's own, on one broker or a cluster of them.
pub struct Farm<B = TestBroker> {
    /// Its broker.
    pub broker: B,
    /// A connection of the test's.
    pub view: Broker,
    url: String,
    folder: TempDir,
}

impl Farm {
    /// A broker and nobody else.
    pub async fn start() -> Self {
        Self::flushing(Flush::Always).await
    }

    /// A farm on a broker with roles, on which it is set up. The test looks on as admin.
    pub async fn with_roles(broker: TestBroker, folder: TempDir) -> Self {
        let url = broker.url_for("admin");
        Self::on(broker, url, 1, ACK_WAIT, folder).await
    }

    /// The same with a broker that flushes otherwise than shipped.
    pub async fn flushing(flush: Flush) -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_flushing(folder.path(), flush).await;
        let url = broker.url();
        Self::on(broker, url, 1, ACK_WAIT, folder).await
    }

    /// The same whose jobs may go without a sign of life for longer than a test
    /// lasts: only a word of their owners gets them to others.
    pub async fn patient(lease: Duration) -> Self {
        let folder = paths::test_folder();
        let broker = TestBroker::start_flushing(folder.path(), Flush::Always).await;
        let url = broker.url();
        Self::on(broker, url, 1, lease, folder).await
    }
}

impl Farm<TestCluster> {
    /// A cluster that keeps three copies of everything, and nobody else.
    pub async fn start_cluster() -> Self {
        let folder = paths::test_folder();
        let cluster = TestCluster::start(folder.path()).await;
        let url = cluster.url();
        Self::on(cluster, url, TestCluster::SIZE, ACK_WAIT, folder).await
    }
}

impl<B> Farm<B> {
    async fn on(broker: B, url: String, replicas: usize, lease: Duration, folder: TempDir) -> Self {
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

    /// Where its broker listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where everything of this farm lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where workers make their files, each in a folder of its own.
    pub fn scratch(&self) -> PathBuf {
        self.folder().join("scratch")
    }

    /// Where one worker makes its files.
    pub fn scratch_of(&self, worker: &str) -> PathBuf {
        self.scratch().join(format!("ffmpeg-easy-scratch-{worker}"))
    }

    /// A folder for outputs.
    pub fn out(&self) -> PathBuf {
        self.folder().join("out")
    }

    /// A folder with copies of these files.
    pub fn folder_of(&self, name: &str, files: &[PathBuf]) -> PathBuf {
        let folder = self.folder().join(name);
        copy_into(&folder, files);
        folder
    }

    /// A worker with one slot and a short ack wait, to be started.
    pub fn worker(&self, name: &str) -> WorkerSetup {
        WorkerSetup::new(name, self.folder(), &self.url)
    }

    /// Starts a worker and waits until it says that it is ready.
    pub async fn join(&self, setup: WorkerSetup) -> Worker {
        let mut worker = setup.spawn();
        self.ready(&mut worker).await;
        worker
    }

    /// Waits until a worker says that it is ready.
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

    /// What a worker last said of itself; `None` where it is not alive.
    pub async fn heartbeat(&self, worker: &str) -> Option<Heartbeat> {
        let workers = self.view.workers().await.ok()?;
        workers
            .into_iter()
            .find(|heartbeat| heartbeat.name.as_str() == worker)
    }

    /// The producer's command line for this farm, without its verb.
    pub fn producer_command(&self) -> Command {
        let mut command = programs::command("producer", self.folder());
        command.env("NATS_URL", &self.url);
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

    /// Enqueues a job at the usual priority, past the producer.
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

    /// The run of a job; `None` where nobody has taken it yet.
    pub async fn run(&self, job: &JobId) -> Option<Run> {
        match self.view.job(job).await {
            Ok(Some(JobRecord::Run(run))) => Some(*run),
            _ => None,
        }
    }

    /// Waits until the job's run is as wanted.
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

    /// Waits until a job has ended, however.
    pub async fn ended(&self, job: &JobId) -> Run {
        self.run_that(job, "at its end", |run| run.state.is_terminal())
            .await
    }

    /// Waits until a job has ended well.
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

    /// Waits until a worker's ffmpeg reports frames of a job.
    pub async fn encoding(&self, job: &JobId, worker: &Worker) -> Progress {
        let has_frames =
            |progress: &Progress| progress.encode.is_some_and(|encode| encode.frame > 0);
        self.progress_that(job, worker, has_frames).await
    }

    /// Waits until a worker has told when the encode of a job will be done.
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

    /// Dead letters in the farm.
    pub async fn dead_letters(&self) -> u64 {
        self.messages(subject::DEAD).await
    }

    /// Messages in the work queue: jobs that wait, run, or wait to be retried.
    pub async fn queued(&self) -> u64 {
        self.messages(subject::JOBS).await
    }

    async fn messages(&self, stream: &str) -> u64 {
        // A busy machine's broker may need a second try.
        poll::until(stream, async || {
            let stream = self.view.jetstream().get_stream(stream).await.ok()?;
            Some(stream.cached_info().state.messages)
        })
        .await
    }
}

/// Encoding by this encoder, quickly.
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

/// Copies files into a folder, which is made where it is missing.
pub fn copy_into(folder: &Path, files: &[PathBuf]) {
    std::fs::create_dir_all(folder).expect("a test's folder can be written");
    for file in files {
        let name = file.file_name().expect("a file has a name");
        std::fs::copy(file, folder.join(name)).expect("a test's folder can be written");
    }
}
