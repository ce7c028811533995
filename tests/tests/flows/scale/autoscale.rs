//! `producer autoscale` with real workers: it grows and shrinks, breaks off no encode, and goes on after it was killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::farm::worker::Heartbeat;
use common::job::Job;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::{Daemon, Signal};
use harness::programs::monitor::TestMonitor;
use harness::{paths, poll};
use serde_json::Value;

/// An autoscaler of the class `cpu`. Its workers encode each frame slowly, and need no processor meanwhile.
struct Scaler {
    process: Daemon,
    pids: PathBuf,
}

impl Scaler {
    fn start(farm: &Farm, ffmpeg: &StandIn, options: &[&str]) -> Self {
        let pids = farm.folder().join("pids");
        std::fs::create_dir_all(&pids).unwrap();
        let home = farm.folder().display();
        let start = format!(
            "echo $$ > {pids}/{{name}} && exec {worker} --nats {nats} --name {{name}} --encoders libx264 --ffmpeg {ffmpeg} \
             --ffmpeg-reads {needs} --scratch {home}/scratch --max-jobs 1 --ack-wait 3s --drain-timeout 0s --root {home} --root {media}",
            pids = pids.display(),
            worker = paths::program("worker").display(),
            nats = farm.url(),
            ffmpeg = ffmpeg.program().display(),
            needs = ffmpeg.needs(),
            media = paths::brought().display(),
        );
        let stop = format!("kill $(cat {}/{{name}})", pids.display());
        let mut command = farm.producer_command();
        command.env("XDG_CACHE_HOME", paths::shared_cache());
        command
            .args(["autoscale", "--encoder", "libx264", "--name", "cpu"])
            .args(["--poll", "500ms", "--cool-down", "2s", "--shell"])
            .args(["--start", &start, "--stop", &stop])
            .args(options);
        let log = farm.folder().join("autoscaler.log");
        Self {
            process: Daemon::start("autoscaler", command, &log),
            pids,
        }
    }

    /// The processes of its workers that are there.
    fn workers(&self) -> Vec<u32> {
        let files = std::fs::read_dir(&self.pids).unwrap();
        let pid = |file: std::fs::DirEntry| {
            let pid = std::fs::read_to_string(file.path()).ok()?;
            let pid: u32 = pid.trim().parse().ok()?;
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            (!state.contains(") Z")).then_some(pid)
        };
        files.filter_map(|file| pid(file.unwrap())).collect()
    }
}

impl Drop for Scaler {
    /// Workers outlive their autoscaler.
    fn drop(&mut self) {
        for pid in self.workers() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

fn slow_ffmpeg(farm: &Farm) -> StandIn {
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Paced(Duration::from_millis(40)));
    ffmpeg
}

/// A film that takes so many seconds.
fn film(folder: &Path, name: &str, seconds: u32) -> PathBuf {
    let film = folder.join(name);
    let line = format!("-v error -f lavfi -i testsrc2=s=160x90:r=25:d={seconds} -c:v libx264");
    let made = Command::new(paths::tool("ffmpeg"))
        .args(line.split(' '))
        .arg(&film)
        .status();
    assert!(made.expect("ffmpeg runs").success());
    film
}

async fn enqueued(farm: &Farm, film: &Path) -> Job {
    let job = farm.job(film, "libx264");
    farm.enqueue(&job).await;
    job
}

async fn live(farm: &Farm) -> Vec<Heartbeat> {
    farm.view.workers().await.unwrap_or_default()
}

async fn has_workers(farm: &Farm, wanted: usize) {
    poll::until(&format!("{wanted} workers"), async || {
        (live(farm).await.len() == wanted).then_some(())
    })
    .await;
}

async fn record(monitor: &TestMonitor) -> Value {
    let answer = monitor.get("/api/v1/autoscalers").await;
    let answer: Value = serde_json::from_str(&answer.expect("an answer")).unwrap();
    answer[0].clone()
}

#[tokio::test]
async fn workers_come_with_the_jobs_and_go_without_breaking_off_an_encode() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let ffmpeg = slow_ffmpeg(&farm);
    let mut scaler = Scaler::start(&farm, &ffmpeg, &["--max", "3"]);
    let long = enqueued(&farm, &film(farm.folder(), "long.mp4", 30)).await;
    let mut short = Vec::new();
    for nth in 0..4 {
        short.push(enqueued(&farm, &film(farm.folder(), &format!("{nth}.mp4"), 2)).await);
    }
    has_workers(&farm, 3).await;
    for worker in live(&farm).await {
        assert!(worker.name.as_str().starts_with("cpu-"), "{}", worker.name);
    }
    for job in &short {
        farm.completed(&job.id).await;
    }
    // The other two have nothing to do, and go while the long encode goes on.
    has_workers(&farm, 1).await;
    let run = farm.run(&long.id).await.expect("it runs");
    assert!(!run.state.is_terminal(), "{run:#?}");
    let (run, _) = farm.completed(&long.id).await;
    assert_eq!(run.attempt, 1, "it was broken off: {run:#?}");
    has_workers(&farm, 0).await;
    poll::until("the processes to be gone", async || {
        scaler.workers().is_empty().then_some(())
    })
    .await;
    poll::until("no order to be left", async || {
        let orders = farm.view.orders().await.ok()?;
        (orders.iter().count() == 0).then_some(())
    })
    .await;
    let told = poll::until("its workers to be forgotten", async || {
        let record = record(&monitor).await;
        record["workers"].as_object()?.is_empty().then_some(record)
    })
    .await;
    assert_eq!(told["name"], "cpu");
    let decisions = told["decisions"].as_array().expect("a list");
    for verb in ["start", "drain", "stop"] {
        let is_it = |decision: &&Value| decision["action"].as_str().unwrap().starts_with(verb);
        assert!(
            decisions.iter().any(|decision| is_it(&decision)),
            "{verb}: {told:#}"
        );
    }
    scaler.process.signal(Signal::TERM);
    assert_eq!(scaler.process.wait().await.code(), Some(0));
    let log = scaler.process.log();
    assert!(
        log.contains("jobs could start on new workers, but no more than 3"),
        "{log}"
    );
}

#[tokio::test]
async fn one_process_is_the_autoscaler_and_another_goes_on_when_it_is_killed() {
    let farm = Farm::start().await;
    let _monitor = TestMonitor::start(&farm).await;
    let ffmpeg = slow_ffmpeg(&farm);
    let job = enqueued(&farm, &film(farm.folder(), "film.mp4", 20)).await;
    let mut first = Scaler::start(&farm, &ffmpeg, &["--max", "2"]);
    farm.run_that(&job.id, "running", |run| run.worker().is_some())
        .await;
    let mut second = Scaler::start(&farm, &ffmpeg, &["--max", "2"]);
    assert_eq!(second.process.wait().await.code(), Some(1));
    let log = second.process.log();
    assert!(log.contains("the autoscaler cpu already runs on"), "{log}");

    first.process.kill();
    let _third = Scaler::start(&farm, &ffmpeg, &["--max", "2"]);
    let (run, _) = farm.completed(&job.id).await;
    assert_eq!(
        run.attempt, 1,
        "its worker outlives the autoscaler: {run:#?}"
    );
    // The worker that the first has started is the third's.
    has_workers(&farm, 0).await;
}

#[tokio::test]
async fn a_start_that_fails_is_told_and_tried_again_later() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let _job = enqueued(&farm, &film(farm.folder(), "film.mp4", 1)).await;
    let refused = farm
        .producer([
            "autoscale",
            "--encoder",
            "libx264",
            "--max",
            "1",
            "--start",
            "worker",
        ])
        .await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("{name}"), "{refused:?}");
    let mut dry = farm.producer_command();
    dry.args(["autoscale", "--encoder", "libx264", "--max", "1"])
        .args(["--start", "false {name}", "--dry-run"]);
    let mut dry = Daemon::start("dry run", dry, &farm.folder().join("dry.log"));
    poll::until("the decision to be told", async || {
        dry.log()
            .contains("start libx264-00000001: 1 job")
            .then_some(())
    })
    .await;
    dry.signal(Signal::TERM);
    assert_eq!(dry.wait().await.code(), Some(0));
    assert_eq!(farm.view.autoscalers().await.unwrap(), []);

    let mut command = farm.producer_command();
    command
        .args(["autoscale", "--encoder", "libx264", "--max", "1"])
        .args(["--poll", "200ms", "--start", "false {name}"]);
    let _scaler = Daemon::start("autoscaler", command, &farm.folder().join("failing.log"));
    poll::until("the failure to be told", async || {
        let record = record(&monitor).await;
        let decisions = record["decisions"].as_array()?;
        let reason = decisions.last()?["reason"].as_str()?;
        (reason.contains("after failed starts (1)") && record["failures"] == 1).then_some(())
    })
    .await;
}
