//! A worker that takes signed jobs only, while somebody without a key writes whatever they like to the broker.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::broker::{Broker, ConnectOptions};
use common::farm::queue::Lane;
use common::job::Job;
use common::job::id::JobId;
use common::job::part::Part;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::job::signature::JobSignature;
use common::job::split::{Plan, Split, SplitReport, SplitState};
use common::names::location::Location;
use common::names::nkey::{Signer, UserSeed};
use common::names::subject;
use common::{testing, wire};
use harness::farm::Farm;
use harness::programs::WorkerSetup;
use harness::{paths, poll};

/// A farm, and the key whose jobs its workers take.
struct Guarded {
    farm: Farm,
    owner: Signer,
}

impl Guarded {
    async fn new() -> Self {
        Self {
            farm: Farm::start().await,
            owner: Signer::from(&UserSeed::new()),
        }
    }

    /// A worker that takes the owner's jobs only.
    fn worker(&self, name: &str) -> WorkerSetup {
        let worker = self.farm.worker(name).encoders("libx264");
        worker.option("--require-signature", self.owner.key().to_string())
    }

    /// Enqueues a job as somebody with this key.
    async fn order(&self, job: &Job, signer: &Signer) {
        let options = ConnectOptions {
            signer: Some(signer.clone()),
            ..ConnectOptions::new(self.farm.url(), "somebody")
        };
        let broker = Broker::connect(&options).await.unwrap();
        let lane = lane(&job.recipe.queue().to_string());
        broker
            .enqueue(&[(job.clone(), lane)], |_| {})
            .await
            .unwrap();
    }

    /// The job as the owner has signed it.
    fn signed(&self, job: &Job) -> Job {
        Job {
            signature: Some(JobSignature::of(job, &self.owner).into()),
            ..job.clone()
        }
    }

    /// Stores a message as it is.
    async fn publish(&self, subject: String, message: &impl wire::Message) {
        let jetstream = self.farm.view.jetstream();
        let stored = jetstream.publish(subject, wire::encode(message)).await;
        stored.unwrap().await.unwrap();
    }

    /// Publishes a job without enqueueing it.
    async fn publish_job(&self, job: &Job, lane: &Lane) {
        self.publish(subject::job(lane, &job.id), job).await;
    }

    async fn put_run(&self, run: &Run) {
        let key = subject::kv(subject::RUNS, &subject::run(&run.job.id));
        self.publish(key, run).await;
    }

    /// Waits until a job is refused with these words, at once and for good.
    async fn refused(&self, job: &JobId, words: &str) {
        let run = self.farm.ended(job).await;
        let RunState::Failed { failure } = &run.state else {
            panic!("{words}: {run:#?}")
        };
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!(run.attempt, 1, "nothing changes by another attempt");
    }
}

fn lane(queue: &str) -> Lane {
    Lane::from_consumer(&format!("{queue}_p5")).expect("a lane")
}

fn path(location: &Location) -> PathBuf {
    location.path().expect("a file")
}

/// A job with another output.
fn to(job: Job, name: &str) -> Job {
    Job {
        output: job.output.sibling(name),
        ..job
    }
}

#[tokio::test]
async fn what_nobody_known_has_signed_is_refused_and_touches_nothing() {
    let guarded = Guarded::new().await;
    let farm = &guarded.farm;
    let job = |name: &str| {
        let job = farm.job(&paths::media("h264.mp4"), "libx264");
        let output = job.output.sibling(name);
        Job::new(job.batch, job.input, output, job.recipe, None)
    };
    let worker = farm.join(guarded.worker("w")).await;

    let good = job("good.mkv");
    guarded.order(&good, &guarded.owner).await;
    farm.completed(&good.id).await;
    assert!(path(&good.output).is_file());

    let unsigned = job("unsigned.mkv");
    farm.enqueue(&unsigned).await;
    guarded.refused(&unsigned.id, "--require-signature").await;

    let stranger = Signer::from(&UserSeed::new());
    let theirs = job("theirs.mkv");
    guarded.order(&theirs, &stranger).await;
    let key = stranger.key().to_string();
    guarded.refused(&theirs.id, &key).await;
    guarded.refused(&theirs.id, "`signers` in [worker]").await;

    // A file of somebody, as the output of a job that was changed after it was signed.
    let victim = farm.out().join("victim.mkv");
    std::fs::write(&victim, "precious").unwrap();
    let mut changed = to(guarded.signed(&job("changed.mkv")), "victim.mkv");
    changed.replace = true;
    guarded.publish_job(&changed, &lane("libx264")).await;
    guarded.refused(&changed.id, "was changed after").await;

    // The message is as it was signed, and the run is not: a worker acts on the run.
    let innocent = guarded.signed(&job("innocent.mkv"));
    let mut forged = to(innocent.clone(), "victim.mkv");
    forged.replace = true;
    let run = Run::unclaimed(forged, &lane("libx264"), farm.view.now());
    guarded.put_run(&run).await;
    guarded.publish_job(&innocent, &lane("libx264")).await;
    guarded.refused(&innocent.id, "was changed after").await;

    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    let mut left = harness::outside::names(&farm.out());
    left.sort();
    assert_eq!(left, ["good.mkv", "victim.mkv"].map(PathBuf::from));
    assert_eq!(farm.dead_letters().await, 4);
    drop(worker);

    // Whoever trusts the key later retries the job: it is signed still.
    let both = format!("{},{key}", guarded.owner.key());
    let setup = guarded.worker("w").option("--require-signature", both);
    let _worker = farm.join(setup).await;
    let retried = farm.producer(["retry", &theirs.id.to_string()]).await;
    retried.succeeded();
    farm.completed(&theirs.id).await;
}

#[tokio::test]
async fn a_signed_job_that_is_published_again_is_not_run_again() {
    let guarded = Guarded::new().await;
    let farm = &guarded.farm;
    let _worker = farm
        .join(guarded.worker("w").encoders("libx264,libx265"))
        .await;
    let job = guarded.signed(&farm.job(&paths::media("h264.mp4"), "libx264"));
    farm.enqueue(&job).await;
    let (run, _) = farm.completed(&job.id).await;
    let made = std::fs::metadata(path(&job.output))
        .unwrap()
        .modified()
        .unwrap();
    // The lanes of other jobs.
    let other = farm.job(&paths::media("hevc.mkv"), "libx265");
    guarded.order(&other, &guarded.owner).await;
    farm.completed(&other.id).await;
    for queue in ["libx264", "libx265"] {
        guarded.publish_job(&job, &lane(queue)).await;
    }
    poll::until("the messages to be dropped", async || {
        (farm.queued().await == 0).then_some(())
    })
    .await;
    assert_eq!(farm.run(&job.id).await, Some(run));
    let now = std::fs::metadata(path(&job.output))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(now, made);

    // Its first message in the lane of another encoder: its own encoder is used.
    let elsewhere = farm.job(&paths::media("vp9.webm"), "libx264");
    let elsewhere = guarded.signed(&elsewhere);
    guarded.publish_job(&elsewhere, &lane("libx265")).await;
    let (_, report) = farm.completed(&elsewhere.id).await;
    let encoder = report.encoder.map(|encoder| encoder.to_string());
    assert_eq!(encoder.as_deref(), Some("libx264"));
}

#[tokio::test]
async fn the_parts_of_a_signed_job_run_and_no_others() {
    let guarded = Guarded::new().await;
    let farm = &guarded.farm;
    let film = film(farm.folder());
    let split = |name: &str| {
        let job = farm.job(&film, "libx264");
        let output = job.output.sibling(name);
        Job {
            split: Split::Every(1),
            ..Job::new(job.batch, job.input, output, job.recipe, None)
        }
    };
    let _a = farm.join(guarded.worker("a")).await;
    let _b = farm.join(guarded.worker("b")).await;
    let job = split("split.mkv");
    guarded.order(&job, &guarded.owner).await;
    let (_, report) = farm.completed(&job.id).await;
    assert!(is_in_parts(&report), "{report:#?}");

    // A plan that nobody has signed, of a job that somebody has.
    let victim = farm.out().join("victim");
    std::fs::create_dir_all(&victim).unwrap();
    let job = guarded.signed(&split("other.mkv"));
    let forged = to(job.clone(), "victim/film.mkv");
    let plan = testing::plan(&forged, &lane("libx264"), &[25; 2]);
    let chunk = plan.job_of(Part::Chunk(0));
    put_split(&guarded, &job, &plan).await;
    guarded.publish_job(&chunk, &lane("libx264")).await;
    guarded.refused(&chunk.id, "was changed after").await;

    // A part that the plan of its job does not know.
    let job = guarded.signed(&split("third.mkv"));
    let plan = testing::plan(&job, &lane("libx264"), &[25; 2]);
    let forged = Job {
        output: job.output.sibling("victim/film.mkv"),
        ..plan.job_of(Part::Chunk(0))
    };
    put_split(&guarded, &job, &plan).await;
    guarded.publish_job(&forged, &lane("libx264")).await;
    guarded
        .refused(&forged.id, "not what the signed job and its plan say")
        .await;

    assert!(harness::outside::names(&victim).is_empty());
}

/// A film of 6 s with a keyframe each second.
fn film(folder: &Path) -> PathBuf {
    let film = folder.join("film.mkv");
    let line =
        "-v error -f lavfi -i testsrc2=s=320x180:r=25:d=6 -c:v libx264 -preset ultrafast -g 25";
    let made = Command::new(paths::tool("ffmpeg"))
        .args(line.split(' '))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    film
}

fn is_in_parts(report: &Report) -> bool {
    matches!(&report.split, Some(SplitReport::Parts(parts)) if parts.len() > 1)
}

/// Stores a job as split by this plan.
async fn put_split(guarded: &Guarded, job: &Job, plan: &Plan) {
    let now = guarded.farm.view.now();
    let worker = "a".parse().expect("a name");
    let run = Run::first(job.clone(), &lane("libx264"), 1, worker, now);
    guarded.put_run(&run.split(2, now)).await;
    let key = |key: &str| subject::kv(subject::PLANS, key);
    guarded.publish(key(&subject::plan(&job.id)), plan).await;
    let state = SplitState::default();
    guarded
        .publish(key(&subject::split_state(&job.id)), &state)
        .await;
}
