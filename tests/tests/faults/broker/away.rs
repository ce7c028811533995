//! A broker that is away for longer than a lease. This is the fault of no worker and no job: no attempt is used up, and
//! no live worker counts as lost.

use std::path::Path;
use std::time::Duration;

use common::job::id::JobId;
use common::job::run::RunState;
use harness::farm::{ACK_WAIT, Farm};
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::Signal;
use harness::programs::Worker;
use harness::{outside, paths, poll};

/// Longer than any lease here, and short enough for a test.
const AWAY: Duration = Duration::from_secs(8);
/// By then, a job of a lost worker would have been given to another worker.
const LEASES: Duration = Duration::from_secs(7);

/// The way in which a broker goes away and comes back.
#[derive(Clone, Copy, Debug)]
enum Absence {
    Killed,
    Frozen,
}

impl Absence {
    async fn begin(self, farm: &mut Farm) {
        match self {
            Self::Killed => farm.broker.kill(),
            Self::Frozen => farm.broker.freeze(),
        }
    }

    async fn end(self, farm: &mut Farm) {
        match self {
            Self::Killed => farm.broker.restart().await,
            Self::Frozen => farm.broker.thaw(),
        }
    }
}

/// Workers whose ffmpeg stops at its first frame until the test releases it.
async fn crew(farm: &Farm, size: usize, ffmpeg: &StandIn) -> Vec<Worker> {
    let mut crew = Vec::new();
    for nth in 1..=size {
        let setup = farm.worker(&format!("w{nth}"));
        crew.push(setup.encoders("libx264").ffmpeg(ffmpeg).spawn());
    }
    for worker in &mut crew {
        farm.ready(worker).await;
    }
    crew
}

/// Enqueues so many jobs, and waits until all of them run.
async fn running(farm: &Farm, size: usize) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for nth in 1..=size {
        let input = farm.folder().join(format!("{nth}.mp4"));
        std::fs::copy(paths::media("h264.mp4"), &input).unwrap();
        let job = farm.job(&input, "libx264");
        farm.enqueue(&job).await;
        jobs.push(job.id);
    }
    for job in &jobs {
        farm.run_that(job, "running", |run| {
            matches!(run.state, RunState::Running { .. })
        })
        .await;
    }
    jobs
}

/// Every job completed at its first attempt.
async fn complete_at_first_attempt(farm: &Farm, jobs: &[JobId]) {
    for job in jobs {
        let (run, _) = farm.completed(job).await;
        assert_eq!((run.attempt, run.failures.len()), (1, 0), "{run:#?}");
    }
    poll::until("an empty queue", async || {
        (farm.queued().await == 0).then_some(())
    })
    .await;
    assert_eq!(outside::names(&farm.out()).len(), jobs.len());
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}

/// The broker is away while four workers encode three jobs.
async fn away_while_encoding(absence: Absence) {
    let mut farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let _crew = crew(&farm, 4, &ffmpeg).await;
    let jobs = running(&farm, 3).await;
    absence.begin(&mut farm).await;
    tokio::time::sleep(AWAY).await;
    absence.end(&mut farm).await;
    tokio::time::sleep(LEASES).await;
    ffmpeg.recover();
    complete_at_first_attempt(&farm, &jobs).await;
}

#[tokio::test]
async fn workers_outlive_a_broker_that_was_killed_for_longer_than_their_leases() {
    away_while_encoding(Absence::Killed).await;
}

#[tokio::test]
async fn workers_outlive_a_broker_that_was_frozen_for_longer_than_their_leases() {
    away_while_encoding(Absence::Frozen).await;
}

#[tokio::test]
async fn workers_outlive_a_broker_that_was_killed_right_after_their_claims() {
    let mut farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let _crew = crew(&farm, 4, &ffmpeg).await;
    let jobs = running(&farm, 3).await;
    farm.broker.kill();
    farm.broker.restart().await;
    tokio::time::sleep(LEASES).await;
    ffmpeg.recover();
    complete_at_first_attempt(&farm, &jobs).await;
}

/// The encode ends while the broker is away, and the broker stays away for some leases more.
async fn away_at_the_end(absence: Absence) {
    let mut farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let crew = crew(&farm, 2, &ffmpeg).await;
    let jobs = running(&farm, 1).await;
    let run = farm.run(&jobs[0]).await.unwrap();
    let owner = run.worker().unwrap().to_string();
    absence.begin(&mut farm).await;
    ffmpeg.recover();
    poll::until("the encode to end", async || {
        outside::encodes_in(&farm.scratch())
            .is_empty()
            .then_some(())
    })
    .await;
    tokio::time::sleep(AWAY + ACK_WAIT).await;
    absence.end(&mut farm).await;
    complete_at_first_attempt(&farm, &jobs).await;
    let (_, report) = farm.completed(&jobs[0]).await;
    assert_eq!(
        report.worker.as_str(),
        owner,
        "what was encoded is published"
    );
    drop(crew);
}

#[tokio::test]
async fn a_finished_encode_is_published_when_a_killed_broker_is_back() {
    away_at_the_end(Absence::Killed).await;
}

#[tokio::test]
async fn a_finished_encode_is_published_when_a_frozen_broker_is_back() {
    away_at_the_end(Absence::Frozen).await;
}

/// Two jobs run at the default lease when the broker goes away. One encode ends then, the other when the broker is
/// back.
async fn away_for(seconds: u64) {
    let mut farm = Farm::start().await;
    let mut ending = StandIn::new(&farm.folder().join("ending"));
    let mut going_on = StandIn::new(&farm.folder().join("going-on"));
    let lease = "30s";
    let mut crew = Vec::new();
    for (name, ffmpeg) in [("w1", &mut ending), ("w2", &mut going_on)] {
        ffmpeg.set_fault(Fault::Held);
        let setup = farm.worker(name).encoders("libx264").ffmpeg(ffmpeg);
        crew.push(farm.join(setup.option("--ack-wait", lease)).await);
    }
    let idle = farm.worker("w3").encoders("libx264");
    crew.push(farm.join(idle.option("--max-jobs", "2")).await);
    farm.producer(["drain", "w3"]).await.succeeded();
    let files = [paths::media("h264.mp4"), paths::media("vp9.webm")];
    let folder = farm.folder_of("in", &files);
    let mut enqueue = farm.producer_command();
    enqueue
        .arg("enqueue")
        .arg(&folder)
        .arg("-o")
        .arg(farm.out());
    enqueue.args(["--encoder", "libx264", "--ack-wait", lease]);
    harness::process::run(enqueue).await.succeeded();
    let jobs = farm.view.jobs(true).await.unwrap();
    let jobs: Vec<JobId> = jobs.iter().map(|record| record.job().id).collect();
    for job in &jobs {
        farm.run_that(job, "running", |run| {
            matches!(run.state, RunState::Running { .. })
        })
        .await;
    }
    farm.producer(["resume", "w3"]).await.succeeded();
    farm.broker.kill();
    ending.recover();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    farm.broker.restart().await;
    tokio::time::sleep(Duration::from_secs(35)).await;
    going_on.recover();
    complete_at_first_attempt(&farm, &jobs).await;
}

#[tokio::test]
#[ignore = "takes two minutes"]
async fn workers_outlive_a_broker_that_is_away_for_80_seconds() {
    away_for(80).await;
}

#[tokio::test]
#[ignore = "takes eleven minutes"]
async fn workers_outlive_a_broker_that_is_away_for_10_minutes() {
    away_for(600).await;
}

#[tokio::test]
async fn a_worker_that_was_frozen_while_its_job_failed_stops_when_it_continues() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let frozen = farm
        .join(farm.worker("frozen").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
    job.attempts = 1;
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &frozen).await;
    let _other = farm.join(farm.worker("other").encoders("libx264")).await;
    frozen.process.signal(Signal::STOP);
    let run = farm.ended(&job.id).await;
    assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
    let woken = std::time::Instant::now();
    frozen.process.signal(Signal::CONT);
    poll::until("its ffmpeg to be gone", async || {
        outside::encodes_in(&farm.scratch())
            .is_empty()
            .then_some(())
    })
    .await;
    let waited = woken.elapsed();
    assert!(
        waited < Duration::from_secs(10),
        "it went on for {waited:?}"
    );
    assert_eq!(
        farm.run(&job.id).await,
        Some(run),
        "the run was written again"
    );
    assert_eq!(farm.dead_letters().await, 1);
}
