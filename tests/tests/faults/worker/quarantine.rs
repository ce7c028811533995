//! A worker in quarantine: how people see it, and how it ends.

use common::farm::worker::{Heartbeat, WorkerStatus};
use common::job::Job;
use common::job::failure::Fault as Whose;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::Signal;
use harness::programs::Worker;
use harness::programs::monitor::TestMonitor;
use harness::{outside, paths, poll};
use serde_json::Value;

const CLIPS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

/// A farm with one worker, "w", whose ffmpeg no longer encodes, and with jobs. Two of the jobs put the worker into
/// quarantine.
struct Case {
    farm: Farm,
    ffmpeg: StandIn,
    worker: Worker,
    jobs: Vec<Job>,
    /// The worker's heartbeat before ffmpeg fell sick.
    well: Heartbeat,
}

impl Case {
    /// The first rest lasts `rest`.
    async fn with(rest: &str, fault: Fault) -> Self {
        let farm = Farm::start().await;
        // An ffmpeg with a version of its own: what this worker proves is cached for no other worker.
        let own = format!("ill-for-{rest}");
        let ffmpeg = StandIn::new(&farm.folder().join("ffmpeg")).with_encoder(&own, "libx264");
        let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
        let setup = setup
            .option("--quarantine-after", "2")
            .option("--quarantine-rest", rest)
            .option("--stall-timeout", "3s");
        let worker = farm.join(setup).await;
        let mut case = Self {
            well: farm.heartbeat("w").await.unwrap(),
            farm,
            ffmpeg,
            worker,
            jobs: Vec::new(),
        };
        case.fall_ill("first", fault).await;
        case
    }

    /// The worker's ffmpeg fails with new jobs until the worker is in quarantine.
    async fn fall_ill(&mut self, time: &str, fault: Fault) {
        self.ffmpeg.set_fault(fault);
        let folder = self.farm.folder_of(time, &CLIPS.map(paths::media));
        self.jobs.clear();
        for clip in CLIPS {
            let input = folder.join(format!("{time}-{clip}"));
            std::fs::rename(folder.join(clip), &input).unwrap();
            let job = self.farm.job(&input, "libx264");
            self.farm.enqueue(&job).await;
            self.jobs.push(job);
        }
        self.until_status(WorkerStatus::Quarantined).await;
    }

    /// Waits until the worker's heartbeat has this status.
    async fn until_status(&self, status: WorkerStatus) -> Heartbeat {
        poll::until(&format!("the worker to be {status}"), async || {
            let said = self.farm.heartbeat("w").await?;
            (said.status == status).then_some(said)
        })
        .await
    }

    /// Waits until every job has completed.
    async fn completed(&self) {
        for job in &self.jobs {
            let run = self.farm.ended(&job.id).await;
            assert!(matches!(run.state, RunState::Completed { .. }), "{run:#?}");
        }
    }
}

#[tokio::test]
async fn a_person_lifts_a_quarantine_at_once_and_sees_that_it_has_ended() {
    let mut case = Case::with("30m", Fault::Sick).await;
    let monitor = TestMonitor::start(&case.farm).await;

    // One alarm, with the reason and the waiting jobs. The command line shows the same.
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
        "quarantined, and proves its encoders again at",
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
    case.until_status(WorkerStatus::Ready).await;
    case.completed().await;
    // The proofs that failed during the quarantine count against no job and no worker now.
    case.ffmpeg.set_fault(Fault::Short { frames: 5 });
    let bad = case.farm.job(&paths::media("ten-bit.mkv"), "libx264");
    case.farm.enqueue(&bad).await;
    let run = case.farm.ended(&bad.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert_eq!(failure.fault, Whose::Input, "{failure}");
    let (status, words) = monitor.delete(path).await;
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("w is not in quarantine"), "{words}");
    let (status, words) = monitor.delete("/api/v1/quarantines/nobody").await;
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("worker nobody is not alive"), "{words}");

    // By the command line.
    case.fall_ill("again", Fault::Sick).await;
    case.ffmpeg.recover();
    let lifted = case.farm.producer(["resume", "w"]).await.succeeded().stdout;
    assert_eq!(
        lifted,
        "worker w takes jobs again: its quarantine has ended\n"
    );
    case.until_status(WorkerStatus::Ready).await;
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
async fn a_quarantine_ends_by_a_proof_that_replaces_no_measured_speed() {
    let mut case = Case::with("2s", Fault::Sick).await;
    // Time alone does not end the quarantine: the worker tries a proof encode, fails, and announces the next try.
    let first = case.until_status(WorkerStatus::Quarantined).await;
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
    case.until_status(WorkerStatus::Ready).await;
    case.completed().await;
    let after = case.farm.heartbeat("w").await.unwrap();
    assert_eq!(after.card, case.well.card, "no speed was measured anew");
}

#[tokio::test]
async fn a_proof_that_never_ends_delays_neither_a_lift_nor_a_stop() {
    let mut case = Case::with("1s", Fault::Stuck).await;
    let trying = async |case: &Case| {
        poll::until("a try", async || {
            let said = case.farm.heartbeat("w").await?;
            assert_eq!(said.status, WorkerStatus::Quarantined);
            let note = said.note.unwrap_or_default();
            assert!(note.contains("no progress"), "{note}");
            said.until.is_none().then_some(())
        })
        .await;
    };
    trying(&case).await;
    case.ffmpeg.recover();
    case.farm.producer(["resume", "w"]).await.succeeded();
    case.until_status(WorkerStatus::Ready).await;
    case.completed().await;

    case.fall_ill("again", Fault::Stuck).await;
    trying(&case).await;
    case.worker.process.signal(Signal::TERM);
    let status = case.worker.process.wait().await;
    assert!(status.success(), "{status}");
    poll::until("all that it had started to be gone", async || {
        let left = outside::processes_of(&case.ffmpeg.program());
        left.is_empty().then_some(())
    })
    .await;
    assert!(case.farm.heartbeat("w").await.is_none(), "it signed off");
}
