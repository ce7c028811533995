//! Anyone who reaches the broker may ask for anything. A worker reads and writes only where its own settings allow it.

mod foreign;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};

use common::job::Job;
use common::job::id::{BatchId, JobId};
use common::job::run::RunState;
use common::names::location::Location;
use common::store::local_input;
use harness::farm::{Farm, recipe};
use harness::paths;
use harness::programs::Worker;
use serde_json::{Value, json};

/// A farm whose worker may use only `in` and `out`. The folder `home` is that of its user.
pub(super) struct Place {
    pub(super) farm: Farm,
    pub(super) _worker: Worker,
}

impl Place {
    pub(super) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// As `new`, with more roots.
    pub(super) async fn with(more: &[&Path]) -> Self {
        let farm = Farm::start().await;
        for folder in ["in", "out", "home/.ssh"] {
            fs::create_dir_all(farm.folder().join(folder)).unwrap();
        }
        let (sources, outputs) = (farm.folder().join("in"), farm.out());
        let mut roots = vec![sources.as_path(), outputs.as_path()];
        roots.extend(more);
        fs::copy(paths::media("h264.mp4"), sources.join("src.mp4")).unwrap();
        fs::write(farm.folder().join("home/.ssh/authorized_keys"), "mine").unwrap();
        let setup = farm.worker("w").encoders("libx264").roots(&roots);
        let worker = farm.join(setup.option("--retry-after", "1s")).await;
        Self {
            farm,
            _worker: worker,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.farm.folder().join(name)
    }

    /// A job from the source to this output, which may replace an existing file.
    pub(super) fn job(&self, output: &Path) -> Job {
        self.job_of(&self.path("in/src.mp4"), output)
    }

    pub(super) fn job_of(&self, input: &Path, output: &Path) -> Job {
        let at = |path: &Path| Location::file(path).unwrap();
        let version = local_input(at(input), &fs::metadata(input).unwrap());
        let salt = Some(uuid::Uuid::new_v4());
        let mut job = Job::new(BatchId::new(), version, at(output), recipe("libx264"), salt);
        job.replace = true;
        job.attempts = 1;
        job
    }

    /// Enqueues a job without any program of the farm, with this text as its output.
    pub(super) async fn enqueue_raw(&self, job: &Job, output: &str) {
        let mut body = serde_json::to_value(job).unwrap();
        body["output"] = output.into();
        publish(&self.farm, &job.id, &body).await;
    }

    /// Waits for a good job that is enqueued last: by its end, the worker has looked at all earlier jobs.
    pub(super) async fn others_were_looked_at(&self) {
        let job = self.job(&self.path(&format!("out/good-{}.mkv", uuid::Uuid::new_v4())));
        self.farm.enqueue(&job).await;
        self.farm.completed(&job.id).await;
    }

    /// Waits until a job has failed; returns the reason.
    pub(super) async fn failed(&self, job: &JobId) -> String {
        match self.farm.ended(job).await.state {
            RunState::Failed { failure } => failure.message,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    pub(super) async fn why(&self, job: &JobId) -> String {
        let told = self.farm.producer(["why", &job.to_string()]).await;
        told.succeeded().stdout
    }

    pub(super) fn authorized_keys(&self) -> String {
        fs::read_to_string(self.path("home/.ssh/authorized_keys")).unwrap()
    }
}

/// Publishes a job as any client can. Its lane exists once the farm has had a job.
pub(super) async fn publish(farm: &Farm, id: &JobId, body: &Value) {
    let message = json!({ "v": 1, "body": body }).to_string();
    let subject = format!("jobs.libx264.5.{id}.all");
    let jetstream = farm.view.jetstream();
    let stored = jetstream.publish(subject, message.into()).await.unwrap();
    stored.await.unwrap();
}

pub(super) fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}
