//! A store that is out of reach for a while.

use std::time::Duration;

use common::job::Job;
use common::job::failure::Fault as Whose;
use common::job::id::{BatchId, JobId};
use common::job::progress::Progress;
use common::job::run::{Run, RunState, Stage};
use common::names::location::Location;
use common::names::subject;
use common::wire;
use futures::StreamExt;
use futures::future::join_all;
use harness::farm::{Farm, recipe};
use harness::faults::proxy::{Fate, Protocol, Proxy, Request};
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::Signal;
use harness::programs::Worker;
use harness::servers::store::{BUCKET, TestStore};
use harness::{paths, poll};

/// The number of jobs that meet an outage.
const JOBS: usize = 6;
/// Longer than three attempts and the waits between them take.
const OUTAGE: Duration = Duration::from_secs(20);

/// A farm with one worker of two slots. The test can break the worker's network to the store.
struct ProxiedFarm {
    farm: Farm,
    store: TestStore,
    proxy: Proxy,
    worker: Worker,
}

impl ProxiedFarm {
    async fn start(read: &str) -> Self {
        let farm = Farm::start().await;
        let store = TestStore::start(farm.folder()).await;
        let proxy = Proxy::start(Protocol::Http, store.port());
        let setup = farm
            .worker("w")
            .encoders("libx264")
            .option("--max-jobs", "2")
            .option("--read", read)
            .environment(store.environment())
            .environment([
                ("AWS_ENDPOINT", proxy.http_url()),
                ("RETRY_AFTER", "500ms".to_owned()),
            ]);
        let worker = farm.join(setup).await;
        Self {
            farm,
            store,
            proxy,
            worker,
        }
    }

    /// One job for each input.
    async fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for nth in 0..JOBS {
            let input = format!("in/{nth}.mp4");
            self.store.put(&paths::media("h264.mp4"), &input).await;
            let output = format!("out/{nth}.mkv");
            jobs.push(self.store.job(&input, &output, "libx264").await);
        }
        jobs
    }

    async fn enqueue(&self, jobs: &[Job]) {
        for job in jobs {
            self.farm.enqueue(job).await;
        }
    }

    /// Waits until the worker's heartbeat says that it cannot reach the bucket.
    async fn away(&self) -> common::farm::worker::Away {
        poll::until("the worker to say that its store is away", async || {
            let heartbeat = self.farm.heartbeat("w").await?;
            heartbeat.away.into_iter().next()
        })
        .await
    }

    /// Waits until `why` gives the store as the reason that a job waits.
    async fn held(&self, job: &Job) -> String {
        poll::until("why to tell of the store", async || {
            let told = self.farm.producer(["why", &job.id.to_string()]).await;
            told.stdout.contains("held").then_some(told.stdout)
        })
        .await
    }

    /// Every job completes, and no attempt counts because of the store.
    async fn all_complete(&self, jobs: &[Job]) -> Vec<Run> {
        let ended = jobs.iter().map(|job| self.farm.completed(&job.id));
        let runs: Vec<Run> = join_all(ended)
            .await
            .into_iter()
            .map(|(run, _)| run)
            .collect();
        for run in &runs {
            assert_eq!(run.spent(), 1, "{run:#?}");
        }
        assert_eq!(self.farm.dead_letters().await, 0);
        runs
    }
}

#[tokio::test]
async fn credentials_that_are_refused_for_a_while_fail_no_job() {
    let proxied = ProxiedFarm::start("in-place").await;
    let jobs = proxied.jobs().await;
    proxied.proxy.judge(|_| Fate::Refused(403));
    proxied.enqueue(&jobs).await;

    let away = proxied.away().await;
    assert_eq!(away.place, Location::s3(BUCKET, "").unwrap());
    assert!(away.error.contains("403"), "{}", away.error);
    let last = jobs.last().unwrap();
    let held = proxied.held(last).await;
    assert!(
        held.contains("s3://media") && held.contains("403"),
        "{held}"
    );
    tokio::time::sleep(OUTAGE).await;
    for job in &jobs {
        let run = proxied.farm.run(&job.id).await;
        assert!(run.is_none_or(|run| run.state.is_waiting() && run.spent() == 0));
    }
    proxied.proxy.judge(|_| Fate::Passed);

    proxied.all_complete(&jobs).await;
    poll::until("the store to be within reach again", async || {
        let heartbeat = proxied.farm.heartbeat("w").await?;
        heartbeat.away.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_down_fails_no_job() {
    let mut proxied = ProxiedFarm::start("download").await;
    let jobs = proxied.jobs().await;
    proxied.store.kill();
    proxied.enqueue(&jobs).await;
    proxied.away().await;
    tokio::time::sleep(OUTAGE).await;
    proxied.store.restart().await;
    proxied.all_complete(&jobs).await;
    assert!(proxied.worker.process.ended().is_none());
}

#[tokio::test]
async fn a_store_that_refuses_writes_fails_no_job() {
    let proxied = ProxiedFarm::start("download").await;
    let jobs = proxied.jobs().await;
    let writes = |request: &Request| {
        let verb = request.subject.split(' ').next();
        matches!(verb, Some("POST" | "PUT"))
    };
    // As a store does whose disk is full.
    proxied.proxy.judge(move |request| match writes(request) {
        true => Fate::Refused(507),
        false => Fate::Passed,
    });
    proxied.enqueue(&jobs).await;
    let away = proxied.away().await;
    assert!(away.error.contains("507"), "{}", away.error);
    tokio::time::sleep(OUTAGE).await;
    assert_eq!(proxied.farm.dead_letters().await, 0);
    proxied.proxy.judge(|_| Fate::Passed);
    proxied.all_complete(&jobs).await;
}

#[tokio::test]
async fn an_object_that_a_healthy_store_refuses_fails_its_own_job_only() {
    let proxied = ProxiedFarm::start("download").await;
    let jobs = proxied.jobs().await;
    proxied.proxy.judge(|request| {
        if request.subject.contains("/in/0.mp4") {
            Fate::Refused(403)
        } else {
            Fate::Passed
        }
    });
    proxied.enqueue(&jobs).await;
    let run = proxied.farm.ended(&jobs[0].id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("it passed: {run:#?}")
    };
    assert_eq!(failure.fault, Whose::Input, "{failure}");
    assert!(failure.message.contains("refuses to read"), "{failure}");
    for job in &jobs[1..] {
        proxied.farm.completed(&job.id).await;
    }
    assert!(proxied.farm.heartbeat("w").await.unwrap().away.is_empty());
}

#[tokio::test]
async fn a_finished_encode_waits_for_its_store() {
    let farm = Farm::start().await;
    let mut store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("h264.mp4"), "in/h264.mp4").await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let setup = farm
        .worker("w")
        .encoders("libx264")
        .option("--read", "download")
        .ffmpeg(&ffmpeg);
    let worker = farm.join(setup.environment(store.environment())).await;
    let output = Location::s3(BUCKET, "out/h264.mkv").unwrap();
    let input = store.input("in/h264.mp4").await;
    let job = Job::new(BatchId::new(), input, output, recipe("libx264"), None);
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;
    let mut reports = farm
        .view
        .client()
        .subscribe(subject::progress(&job.id))
        .await
        .unwrap();

    store.kill();
    ffmpeg.recover();
    let place = Location::s3(BUCKET, "").unwrap();
    let waits = async {
        while let Some(message) = reports.next().await {
            let progress: Progress = wire::decode(&message.payload).unwrap();
            if let Some(place) = progress.waits_for {
                return (progress.stage, place);
            }
        }
        panic!("the broker ended the subscription")
    };
    let told = tokio::time::timeout(poll::PATIENCE, waits).await;
    assert_eq!(
        told.expect("it says what it waits for"),
        (Stage::Publishing, place)
    );
    poll::until("why to tell what it waits for", async || {
        let told = farm.producer(["why", &job.id.to_string()]).await.stdout;
        told.contains("cannot reach s3://media/").then_some(())
    })
    .await;
    // Longer than its lease, and than three attempts.
    tokio::time::sleep(OUTAGE).await;
    store.restart().await;

    let (run, _) = farm.completed(&job.id).await;
    assert_eq!((run.attempt, run.failures.len()), (1, 0), "encoded once");
    let (_, report) = farm.completed(&job.id).await;
    assert_eq!(store.keys().await, ["in/h264.mp4", "out/h264.mkv"]);
    let bytes = store.get("out/h264.mkv").await.unwrap();
    assert_eq!(bytes.len() as u64, report.output_size);
    assert_eq!(
        store.get("in/h264.mp4").await.unwrap(),
        std::fs::read(paths::media("h264.mp4")).unwrap()
    );
}

/// A name that the store cannot be asked for does not make the bucket count as away.
#[tokio::test]
async fn a_name_that_no_store_accepts_does_not_make_its_bucket_away() {
    let proxied = ProxiedFarm::start("download").await;
    let good = proxied.jobs().await.remove(0);
    let mut odd = good.clone();
    odd.output = Location::s3(BUCKET, "out/a//b/0.mkv").unwrap();
    odd.id = JobId::of(&odd.work(), None);
    proxied.enqueue(&[odd.clone()]).await;
    let run = proxied.farm.ended(&odd.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("it passed: {run:#?}")
    };
    assert_eq!(failure.fault, Whose::Input, "{failure}");
    proxied.enqueue(std::slice::from_ref(&good)).await;
    proxied.farm.completed(&good.id).await;
    assert!(proxied.farm.heartbeat("w").await.unwrap().away.is_empty());
}

/// When its worker stops, a finished encode that waits for the store is released.
#[tokio::test]
async fn a_worker_that_stops_releases_a_job_that_waits_for_a_store() {
    let mut proxied = ProxiedFarm::start("download").await;
    let jobs = &proxied.jobs().await[..1];
    proxied
        .proxy
        .judge(|request| match request.subject.split(' ').next() {
            Some("POST" | "PUT") => Fate::Refused(503),
            _ if request.subject.contains("/out/") => Fate::Refused(503),
            _ => Fate::Passed,
        });
    proxied.enqueue(jobs).await;
    proxied.away().await;
    proxied.worker.process.signal(Signal::TERM);
    proxied.worker.process.wait().await;
    let run = proxied.farm.run(&jobs[0].id).await.unwrap();
    assert!(matches!(run.state, RunState::Queued { .. }), "{run:#?}");
    assert_eq!(run.spent(), 0);
}
