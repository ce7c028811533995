//! Who made the output that is there. A stranger's output is left alone, and the job's own output completes the job.
//! The store may take long to say whether an output is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::broker::SteerResult;
use common::job::Job;
use common::job::failure::Fault;
use common::job::run::{Run, RunState};
use harness::farm::{ACK_WAIT, Farm};
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::faults::stand_in::{Fault as FfmpegFault, StandIn};
use harness::faults::victim::{Reached, Step, Victim};
use harness::programs::Worker;
use harness::servers::store::TestStore;
use harness::{outside, paths, poll};
use tempfile::TempDir;

const PRECIOUS: &[u8] = b"PRECIOUS";
const OUTPUT: &str = "out/film.mkv";

async fn store() -> (TestStore, TempDir) {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    store.put(&paths::media("h264.mp4"), "in/h264.mp4").await;
    (store, folder)
}

/// A file of a stranger.
fn precious(farm: &Farm) -> PathBuf {
    let file = farm.folder().join("precious");
    std::fs::write(&file, PRECIOUS).unwrap();
    file
}

async fn heir(farm: &Farm, store: &TestStore) -> Worker {
    let setup = farm.worker("heir").encoders("libx264");
    farm.join(setup.environment(store.environment())).await
}

/// Enqueues a job, and stops its worker at a step.
async fn stopped_at(step: Step, farm: &Farm, store: &TestStore, job: &Job) -> (Victim, Reached) {
    let mut victim = Victim::join(farm, store, "victim").await;
    let held = victim.hold_at(step);
    farm.enqueue(job).await;
    let reached = held.reached(farm).await;
    (victim, reached)
}

/// Retries a failed job, and waits until it has failed once more.
async fn fails_again(farm: &Farm, job: &Job) -> Run {
    let before = farm.ended(&job.id).await;
    let steered = farm.view.retry(&job.id).await.unwrap();
    assert!(matches!(steered, SteerResult::Done(_)), "{steered:?}");
    farm.run_that(&job.id, "failed again", |run| {
        run.attempt > before.attempt && run.state.is_terminal()
    })
    .await
}

fn assert_stranger_spared(run: &Run) {
    let RunState::Failed { failure } = &run.state else {
        panic!("not failed: {run:#?}");
    };
    assert_eq!(failure.fault, Fault::Input);
    assert!(failure.message.contains("was left as it is"), "{failure}");
}

#[tokio::test]
async fn a_retry_leaves_a_strangers_file_alone_however_often() {
    let farm = Farm::start().await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    std::fs::create_dir_all(farm.out()).unwrap();
    let output = farm.out().join("h264.mkv");
    std::fs::write(&output, PRECIOUS).unwrap();
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    assert_stranger_spared(&farm.ended(&job.id).await);
    for _ in 0..2 {
        assert_stranger_spared(&fails_again(&farm, &job).await);
        assert_eq!(std::fs::read(&output).unwrap(), PRECIOUS);
    }
    assert_eq!(outside::names(&farm.out()), [Path::new("h264.mkv")]);

    // Once the stranger's file is gone, the job completes.
    std::fs::remove_file(&output).unwrap();
    farm.view.retry(&job.id).await.unwrap();
    farm.completed(&job.id).await;
}

#[tokio::test]
async fn a_retry_leaves_a_strangers_object_alone() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    farm.enqueue(&job).await;
    store.put(&precious(&farm), OUTPUT).await;
    let _worker = heir(&farm, &store).await;
    assert_stranger_spared(&farm.ended(&job.id).await);
    assert_stranger_spared(&fails_again(&farm, &job).await);
    assert_eq!(store.get(OUTPUT).await.unwrap(), PRECIOUS);
    assert_eq!(store.uploads().await, [""; 0]);
}

/// A worker is killed between fence and commit. Then a stranger's object appears at the output.
#[tokio::test]
async fn an_unfinished_publication_does_not_claim_the_output_of_a_stranger() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    let (mut victim, reached) = stopped_at(Step::Committing, &farm, &store, &job).await;
    victim.worker.process.kill();
    drop(reached);
    store.put(&precious(&farm), OUTPUT).await;
    let _heir = heir(&farm, &store).await;
    assert_stranger_spared(&farm.ended(&job.id).await);
    assert_eq!(store.get(OUTPUT).await.unwrap(), PRECIOUS);
    assert_eq!(store.uploads().await, [""; 0], "not given up");
}

/// A worker is killed between commit and completion. A person cannot cancel the job, and the next worker completes it
/// without another encode.
async fn a_published_output_completes_its_job(attempts: u32) {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let mut job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    job.attempts = attempts;
    let (mut victim, reached) = stopped_at(Step::Completing, &farm, &store, &job).await;
    victim.worker.process.kill();
    drop(reached);
    let steered = farm.view.cancel(&job.id).await.unwrap();
    assert!(matches!(steered, SteerResult::TooLate(_)), "{steered:?}");

    let published = store.version(OUTPUT).await;
    let _heir = heir(&farm, &store).await;
    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), "victim", "encoded again");
    assert_eq!(store.version(OUTPUT).await, published, "published again");
    assert_eq!(run.fence, None);
}

#[tokio::test]
async fn a_published_object_completes_its_job() {
    a_published_output_completes_its_job(3).await;
}

#[tokio::test]
async fn a_published_object_completes_its_job_after_the_last_attempt() {
    a_published_output_completes_its_job(1).await;
}

#[tokio::test]
async fn a_published_file_completes_its_job() {
    let farm = Farm::start().await;
    let broker = Proxy::start(Protocol::Nats, farm.broker.port());
    let setup = farm.worker("victim").encoders("libx264");
    let mut victim = farm.join(setup.option("--nats", broker.nats_url())).await;
    let mut held = broker
        .hold(|request| request.subject.starts_with("$KV.runs.") && request.says("\"completed\""));
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    held.caught("the run to be completed").await;
    victim.process.kill();
    drop(held);
    let output = farm.out().join("h264.mkv");
    let published = outside::which(&output);
    let _heir = farm.join(farm.worker("heir").encoders("libx264")).await;
    let (_, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), "victim", "encoded again");
    let now = outside::which(&output);
    assert_eq!(now, published, "published again");
}

fn ends_upload(method: &str) -> bool {
    method.starts_with("POST ") && method.contains("uploadId=")
}

/// The first answer is lost, and then the store no longer knows the upload. MinIO answers in this way for a completed
/// upload.
#[tokio::test]
async fn a_store_that_no_longer_knows_an_upload_may_have_completed_it() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let victim = Victim::join(&farm, &store, "w").await;
    let (ends, is_denied) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let denied = Arc::clone(&is_denied);
    victim.store.judge(move |request| {
        let is_look = request.subject.starts_with("HEAD ") && request.subject.contains("/out/");
        if ends_upload(&request.subject) {
            return match ends.fetch_add(1, Ordering::Relaxed) {
                0 => Fate::CutShort(0),
                _ => {
                    denied.store(true, Ordering::Relaxed);
                    Fate::Refused(404)
                }
            };
        }
        // Before the denial, the worker cannot find out whether the output is there.
        let is_blind = ends.load(Ordering::Relaxed) > 0 && !denied.load(Ordering::Relaxed);
        if is_look && is_blind {
            return Fate::Refused(500);
        }
        Fate::Passed
    });
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    farm.enqueue(&job).await;
    let (run, _) = farm.completed(&job.id).await;
    assert!(is_denied.load(Ordering::Relaxed), "not asked again");
    assert_eq!((run.attempt, run.failures.len()), (1, 0), "{run:#?}");
}

/// The store takes several leases to complete an upload.
#[tokio::test]
async fn a_store_may_take_longer_than_the_lease_to_complete_an_upload() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    let (_victim, reached) = stopped_at(Step::Committing, &farm, &store, &job).await;
    // A second worker that takes any job it may have.
    let _heir = heir(&farm, &store).await;
    tokio::time::sleep(ACK_WAIT * 3).await;
    reached.decide(Fate::Passed);
    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), "victim");
    assert_eq!((run.attempt, run.failures.len()), (1, 0), "{run:#?}");
}

/// The store completes the upload, and its answer never comes.
#[tokio::test]
async fn an_output_counts_although_the_answer_of_its_store_never_comes() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    let (_victim, reached) = stopped_at(Step::Committing, &farm, &store, &job).await;
    reached.decide(Fate::Unanswered);
    let (run, _) = farm.completed(&job.id).await;
    assert_eq!((run.attempt, run.failures.len()), (1, 0), "{run:#?}");
}

/// The store refuses one part of an upload, and then the abort of the upload.
#[tokio::test]
async fn parts_of_an_upload_are_removed_as_soon_as_the_store_allows() {
    let (store, _folder) = store().await;
    let farm = Farm::start().await;
    let victim = Victim::join(&farm, &store, "w").await;
    let (parts, aborts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    victim.store.judge(move |request| {
        let is_upload = request.subject.contains("uploadId=");
        // With this status, the client of the store does not try again.
        let is_part = is_upload && request.subject.starts_with("PUT ");
        if is_part && parts.fetch_add(1, Ordering::Relaxed) == 0 {
            return Fate::Refused(403);
        }
        let is_abort = is_upload && request.subject.starts_with("DELETE ");
        if is_abort && aborts.fetch_add(1, Ordering::Relaxed) < 2 {
            return Fate::Refused(403);
        }
        Fate::Passed
    });
    let job = store.job("in/h264.mp4", OUTPUT, "libx264").await;
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    poll::until("the store to hold no parts", async || {
        store.uploads().await.is_empty().then_some(())
    })
    .await;
}

/// A file that is overwritten while it is read may decode well, as a mixture of both contents.
#[tokio::test]
async fn an_input_that_changes_during_its_encode_fails() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let input = folder.join("h264.mp4");
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(FfmpegFault::Held);
    let worker = farm
        .join(farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let job = farm.job(&input, "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;
    let later = std::time::SystemTime::now() + Duration::from_secs(1);
    let file = std::fs::File::options().write(true).open(&input).unwrap();
    file.set_modified(later).unwrap();
    ffmpeg.recover();
    let run = farm.ended(&job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("not failed: {run:#?}");
    };
    assert_eq!(failure.fault, Fault::Input);
    assert!(failure.message.contains("changed while"), "{failure}");
    assert_eq!(outside::names(&farm.out()), Vec::<&Path>::new());
}
