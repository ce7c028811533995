//! A person changes jobs, queues, batches and workers.

mod holds;
mod jobs;
mod listings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::worker::WorkerStatus;
use common::job::Job;
use common::job::id::JobId;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::Worker;
use harness::{outside, paths, poll};

/// A worker whose encodes end only after the test has released its stand-in.
pub(super) async fn held_worker(farm: &Farm, name: &str) -> (Worker, StandIn) {
    let mut ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")));
    ffmpeg.set_fault(Fault::Held);
    let setup = farm.worker(name).encoders("libx264").ffmpeg(&ffmpeg);
    (farm.join(setup).await, ffmpeg)
}

/// A worker with a stand-in for NVENC.
pub(super) async fn gpu_worker(farm: &Farm, name: &str) -> Worker {
    let ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")))
        .with_encoder("hevc_nvenc", "libx265");
    farm.join(farm.worker(name).encoders("hevc_nvenc").ffmpeg(&ffmpeg))
        .await
}

/// Enqueues a clip without the producer.
pub(super) async fn pending(farm: &Farm, clip: &str, encoder: &str) -> Job {
    let job = farm.job(&paths::media(clip), encoder);
    farm.enqueue(&job).await;
    job
}

/// Enqueues through the producer; returns the ids of the jobs, in order, and the batch.
pub(super) async fn enqueued(
    farm: &Farm,
    inputs: &[PathBuf],
    options: &[&str],
) -> (Vec<JobId>, String) {
    let mut line = vec!["enqueue", "-o", "out", "--json"];
    line.extend(inputs.iter().map(|input| input.to_str().unwrap()));
    line.extend(options);
    let outcome = farm.producer(line).await.succeeded().json();
    let jobs = outcome["jobs"].as_array().expect("a list of jobs");
    let ids = jobs
        .iter()
        .map(|job| job["job"].as_str().unwrap().parse().unwrap());
    let batch = outcome["batch"].as_str().unwrap_or_default().to_owned();
    (ids.collect(), batch)
}

/// The output of `producer why`.
pub(super) async fn why(farm: &Farm, job: &JobId) -> String {
    let id = job.to_string();
    let told = farm.producer(["why", &id]).await.succeeded();
    told.stdout.trim().to_owned()
}

/// The state of a job in the list of `producer jobs`.
pub(super) async fn state(farm: &Farm, job: &JobId) -> String {
    let jobs = farm.producer(["jobs", "--json"]).await.succeeded().json();
    let id = job.to_string();
    let found = jobs.as_array().unwrap().iter().find(|job| job["id"] == id);
    found.expect("it is listed")["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) async fn status(farm: &Farm, worker: &str, wanted: WorkerStatus) {
    poll::until(&format!("{worker} to be {wanted}"), async || {
        let heartbeat = farm.heartbeat(worker).await?;
        (heartbeat.status == wanted).then_some(())
    })
    .await;
}

pub(super) async fn no_encode_below(folder: &Path) {
    let patience = Duration::from_secs(2);
    poll::until_within(patience, "ffmpeg to be gone", async || {
        outside::encodes_in(folder).is_empty().then_some(())
    })
    .await;
}
