//! A worker in quarantine: what people are told, and how it ends.

use common::job::Job;
use common::run::State;
use common::worker::{Heartbeat, WorkerStatus};
use harness::farm::Farm;
use harness::monitor::TestMonitor;
use harness::programs::Worker;
use harness::stand_in::{Fault, StandIn};
use harness::{paths, poll};
use serde_json::Value;

const CLIPS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

/// A farm with one worker, "w", whose ffmpeg no longer encodes, and jobs for it:
/// two of them put it into quarantine.
struct Case {
    farm: Farm,
    ffmpeg: StandIn,
    worker: Worker,
    jobs: Vec<Job>,
    /// What the worker said before ffmpeg was sick.
    well: Heartbeat,
}

impl Case {
    async fn with(rest: &str) -> Self {
        let farm = Farm::start().await;
        // A build of its own: what is proved of it is no other worker's.
        let own = format!("sick-{rest}");
        let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg")).with_encoder(&own, "libx264");
        let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
        let setup = setup
            .option("--quarantine-after", "2")
            .option("--quarantine-rest", rest);
        let worker = farm.join(setup).await;
        let well = farm.heartbeat("w").await.unwrap();
        ffmpeg.befall(Fault::Sick);
        let jobs = CLIPS.map(|clip| farm.job(&paths::media(clip), "libx264"));
        for job in &jobs {
            farm.enqueue(job).await;
        }
        let case = Self {
            farm,
            ffmpeg,
            worker,
            jobs: jobs.to_vec(),
            well,
        };
        case.stands(WorkerStatus::Quarantined).await;
        case
    }

    /// Waits until the worker says this of itself.
    async fn stands(&self, status: WorkerStatus) -> Heartbeat {
        poll::until(&format!("the worker to be {status}"), async || {
            let said = self.farm.heartbeat("w").await?;
            (said.status == status).then_some(said)
        })
        .await
    }

    /// Waits until every job is done.
    async fn completed(&self) {
        for job in &self.jobs {
            let run = self.farm.ended(&job.id).await;
            assert!(matches!(run.state, State::Completed { .. }), "{run:#?}");
        }
    }
}

#[tokio::test]
async fn a_person_lifts_it_at_once_and_is_told_so() {
    let mut case = Case::with("30m").await;
    let monitor = TestMonitor::start(&case.farm).await;

    // One alarm, with the reason and what waits; the same at the command line.
    let waits = case.jobs[2].id.to_string();
    poll::until("the alarm", async || {
        let state = monitor.get("/api/v1/state").await?;
        let state: Value = serde_json::from_str(&state).ok()?;
        let alarms = state["attention"].as_array()?;
        let [alarm] = alarms.as_slice() else {
            return None;
        };
        let is_told = alarm["cause"] == "quarantined"
            && alarm["workers"][0]["worker"] == "w"
            && alarm["workers"][0]["until"].is_string()
            && alarm["waiting"][0]["queue"] == "libx264";
        let note = alarm["workers"][0]["note"].as_str()?;
        (is_told && note.contains("Device or resource busy")).then_some(())
    })
    .await;
    let workers = case.farm.producer(["workers"]).await.succeeded().stdout;
    for words in [
        "it proves its encoders again at",
        "`producer resume w`",
        "Device or resource busy",
    ] {
        assert!(workers.contains(words), "{workers}");
    }
    let why = case.farm.producer(["why", &waits]).await.succeeded().stdout;
    assert!(
        why.contains("quarantined") && why.contains("`producer resume w`"),
        "{why}"
    );

    // By the page.
    case.ffmpeg.recover();
    let path = "/api/v1/quarantines/w";
    assert_eq!(monitor.delete(path).await, (204, String::new()));
    case.stands(WorkerStatus::Ready).await;
    case.completed().await;
    let (status, words) = monitor.delete(path).await;
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("w is not in quarantine"), "{words}");
    let (status, words) = monitor.delete("/api/v1/quarantines/nobody").await;
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("no worker nobody is alive"), "{words}");

    // By the command line.
    case.ffmpeg.befall(Fault::Sick);
    for (job, clip) in case.jobs.iter_mut().zip(CLIPS) {
        let folder = case.farm.folder_of("again", &[paths::media(clip)]);
        let other = folder.join(format!("again-{clip}"));
        std::fs::rename(folder.join(clip), &other).unwrap();
        *job = case.farm.job(&other, "libx264");
        case.farm.enqueue(job).await;
    }
    case.stands(WorkerStatus::Quarantined).await;
    case.ffmpeg.recover();
    let lifted = case.farm.producer(["resume", "w"]).await.succeeded().stdout;
    assert_eq!(
        lifted,
        "worker w takes jobs again: its quarantine is lifted\n"
    );
    case.stands(WorkerStatus::Ready).await;
    case.completed().await;
    let again = case.farm.producer(["resume", "w"]).await.succeeded().stdout;
    assert_eq!(again, "worker w was neither drained nor in quarantine\n");

    case.worker.process.kill();
    case.farm.broker.kill();
    poll::until("the monitor to say that the broker is away", async || {
        let (status, words) = monitor.delete(path).await;
        (status == 503 && words.contains("broker")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_ends_by_a_proof_that_replaces_no_measured_speed() {
    let mut case = Case::with("2s").await;
    // By the clock alone it does not: it tries, fails, and says when it tries again.
    let first = case.stands(WorkerStatus::Quarantined).await;
    poll::until("a try that fails", async || {
        let said = case.farm.heartbeat("w").await?;
        assert_eq!(said.status, WorkerStatus::Quarantined);
        let note = said.note.as_deref().unwrap_or_default();
        assert!(note.contains("2 jobs in a row"), "{note}");
        (said.until? > first.until?).then_some(())
    })
    .await;
    let sick = case.farm.heartbeat("w").await.unwrap();
    assert_eq!(
        sick.card, case.well.card,
        "what it found while sick does not hold"
    );
    case.ffmpeg.recover();
    case.stands(WorkerStatus::Ready).await;
    case.completed().await;
    let after = case.farm.heartbeat("w").await.unwrap();
    assert_eq!(after.card, case.well.card, "no speed was measured anew");
    let kept = case.farm.heartbeat("w").await.unwrap();
    assert!(kept.note.is_none(), "{:?}", kept.note);
}
