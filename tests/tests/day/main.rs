//! A day in the life of a farm, with documented commands only: it is made on an empty machine, grows and shrinks, is
//! upgraded while it works, and loses one of its three brokers. Nothing is lost.

#![allow(clippy::unwrap_used)]

mod brokers;
mod machines;
mod scaled;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::broker::Broker;
use common::program::farm_file::{FarmFile, Program};
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace};
use harness::outside::media::Media;
use harness::process::{Daemon, run};
use harness::servers::ports::free_ports;
use harness::servers::store::TestStore;
use harness::{paths, poll};

use self::brokers::{Brokers, Places};
use self::machines::{Joined, Machine};
use self::scaled::Scaled;

/// The clips of the day.
const CLIPS: usize = 200;
/// Distinct films among them; the others are copies.
const FILMS: usize = 4;
/// The most workers that come and go.
const MOST: usize = 4;
/// How long all clips may take. They take a minute on two idle cores.
const DAY: Duration = Duration::from_secs(600);

/// Makes the films: a third of a second each, of different lengths.
async fn films(folder: &Path) -> Vec<(PathBuf, u64)> {
    std::fs::create_dir_all(folder).unwrap();
    let mut films = Vec::new();
    for nth in 0..FILMS {
        let film = folder.join(format!("{nth}.mp4"));
        let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
        let line = format!(
            "-v error -f lavfi -i testsrc2=s=96x64:r=25 -frames:v {} -c:v libx264",
            6 + nth
        );
        ffmpeg.args(line.split(' ')).arg(&film);
        run(ffmpeg).await.succeeded();
        let frames = Media::of(&film).frames();
        films.push((film, frames));
    }
    films
}

/// The line for a further worker.
async fn line(first: &Machine, options: &[&str]) -> String {
    let order = [&["setup", "add", "worker", "--json"], options].concat();
    let added = first.producer(&order).await.succeeded().json();
    added["line"].as_str().unwrap().to_owned()
}

/// The test's own look at the broker, as the admin.
async fn auditor(first: &Machine) -> Auditor {
    let file = FarmFile::read(&first.file()).unwrap();
    let options = file.connect(Program::Producer, None, None, "auditor");
    let broker = Broker::connect(&options).await.unwrap();
    Auditor::of(broker.client().clone())
}

#[tokio::test]
async fn a_day_in_the_life_of_a_farm_loses_nothing() {
    let begun = Instant::now();
    let tell = |what: &str| eprintln!("{:>5.1} s  {what}", begun.elapsed().as_secs_f64());
    let folder = paths::test_folder();
    let folder = folder.path();
    let store = TestStore::start(folder).await;
    let films = films(&folder.join("films")).await;

    // The farm is made on an empty machine; then two further brokers, before the first job.
    let first = Machine::new(folder, "first");
    let places = Places::free();
    let mut setup = first.command("producer");
    setup
        .args(["setup", "--store", "s3://media"])
        .args(places.of_first())
        .envs(store.environment());
    run(setup).await.succeeded();
    first.producer(&["setup", "stop"]).await.succeeded();
    places.name_in(&first.file());
    let mut lines = Vec::new();
    for name in ["attic", "cellar", "garage"] {
        lines.push((name, line(&first, &[name]).await));
    }
    let for_any = line(&first, &["hall", "--any"]).await;
    let made = first.file().with_file_name("broker");
    let mut brokers = Brokers::start(folder, &made, &places);
    poll::until("the streams, with three copies", async || {
        // A young cluster has no leader yet.
        let ran = first.producer(&["setup"]).await;
        (ran.code == Some(0)).then_some(())
    })
    .await;
    tell("the farm is made");

    // Three machines join; others come with the jobs.
    let mut machines: Vec<Joined> = lines
        .iter()
        .map(|(name, line)| Joined::join(folder, name, line))
        .collect();
    let monitor = {
        let mut command = first.command("monitor");
        command.args(["--listen", &format!("127.0.0.1:{}", free_ports(1)[0])]);
        Daemon::start("monitor", command, &first.home.join("monitor.log"))
    };
    for machine in &machines {
        machine.has_status(&first, "ready").await;
    }
    let scaled = Scaled::start(&first, Machine::new(folder, "hall"), &for_any, MOST).await;
    assert!(scaled.workers().is_empty(), "nothing waits yet");
    tell("three workers have joined");

    // The clips of the day.
    let clips = first.home.join("clips");
    std::fs::create_dir(&clips).unwrap();
    for nth in 0..CLIPS {
        std::fs::copy(
            &films[nth % FILMS].0,
            clips.join(format!("clip-{nth:03}.mp4")),
        )
        .unwrap();
    }
    let mut order = first.command("producer");
    order.args(["enqueue", "clips", "-o", "results", "--encoder", "libx264"]);
    order.args(["--encoder-preset", "ultrafast", "--wait"]);
    let mut order = Daemon::start("enqueue", order, &first.home.join("enqueue.log"));
    let auditor = auditor(&first).await;
    let done = async |wanted: usize| {
        let done = poll::until_within(DAY, &format!("{wanted} clips"), async || {
            auditor
                .completed()
                .await
                .ok()
                .filter(|done| *done >= wanted)
        })
        .await;
        assert!(done < CLIPS, "too late: all clips are done");
    };
    done(1).await;
    poll::until("as many workers as may come", async || {
        (scaled.workers().len() == MOST).then_some(())
    })
    .await;
    tell("seven workers");

    // A broker dies: the one that leads the work queue.
    done(CLIPS / 8).await;
    let leader = poll::until("a leader", async || auditor.leader("JOBS").await).await;
    brokers.kill(&leader);
    tell("a broker is dead");

    // All workers are upgraded: those that come and go at once, and then one machine after the other.
    done(CLIPS / 4).await;
    let former = scaled.upgrade();
    for machine in &mut machines {
        machine.upgrade(&first).await;
    }
    poll::until("the former workers to be gone", async || {
        let workers = scaled.workers();
        former
            .iter()
            .all(|pid| !workers.contains(pid))
            .then_some(())
    })
    .await;
    tell("all workers are of another build");

    // Everything ends well, and is brought home.
    let status = poll::until_within(DAY, "the end of the order", async || order.ended()).await;
    assert_eq!(status.code(), Some(0), "{}", order.log());
    tell("all clips are brought home");
    poll::until("the workers that came to go", async || {
        scaled.workers().is_empty().then_some(())
    })
    .await;
    scaled.end().await;
    tell("the workers that came are gone");

    let listed = first
        .producer(&["jobs", "--json", "--limit", "1000"])
        .await
        .succeeded()
        .json();
    let jobs = listed.as_array().unwrap().iter().map(|row| {
        let output = row["output"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let nth: usize = output["clip-".len()..][..3].parse().unwrap();
        let id = row["id"].as_str().unwrap().to_owned();
        Acknowledged {
            id,
            output,
            frames: films[nth % FILMS].1,
        }
    });
    let jobs: Vec<Acknowledged> = jobs.collect();
    let outputs: BTreeSet<&str> = jobs.iter().map(|job| job.output.as_str()).collect();
    assert_eq!((jobs.len(), outputs.len()), (CLIPS, CLIPS));
    let place = OutputPlace::Folder(first.home.join("results"));
    let tally = auditor
        .settled(&jobs, &place, &folder.join("scratch"))
        .await;
    assert_eq!((tally.completed, tally.failed), (CLIPS, 0));
    tell("audited");
    drop(monitor);
}
