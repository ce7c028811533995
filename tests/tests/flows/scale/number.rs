//! How many workers a class needs, as the monitor tells autoscalers.

use std::process::Command;
use std::time::Duration;

use common::farm::queue::{Lane, Priority};
use common::job::Job;
use common::job::split::Split;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::monitor::TestMonitor;
use harness::{paths, poll};

use super::{has_numbers, numbers, within};
use crate::steer::{held_worker, pending};

/// A worker that was killed is gone after its last heartbeat has run out, after 15 s.
const GONE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn the_number_follows_the_farm_while_nobody_looks_at_the_page() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    has_numbers(&monitor, "encoder=libx264", [0, 0, 0, 0]).await;
    let first = pending(&farm, "h264.mp4", "libx264").await;
    pending(&farm, "vp9.webm", "libx264").await;
    pending(&farm, "hevc.mkv", "libx264").await;
    // A pinned job is nothing for a new worker.
    let pinned = farm.job(&paths::media("ten-bit.mkv"), "libx264");
    let lane = Lane {
        queue: "on_elsewhere".parse().unwrap(),
        priority: Priority::default(),
    };
    farm.view.enqueue(&[(pinned, lane)], |_| {}).await.unwrap();
    has_numbers(&monitor, "encoder=libx264", [3, 0, 0, 3]).await;
    has_numbers(&monitor, "queue=libx264,copy", [3, 0, 0, 3]).await;
    has_numbers(&monitor, "queue=any_h264", [0, 0, 0, 0]).await;
    has_numbers(&monitor, "encoder=libx264&jobs_per_worker=2", [3, 0, 0, 2]).await;

    farm.producer(["pause", "--queue", "libx264"])
        .await
        .succeeded();
    has_numbers(&monitor, "encoder=libx264", [0, 0, 0, 0]).await;
    farm.producer(["resume", "--queue", "libx264"])
        .await
        .succeeded();

    let (mut worker, _ffmpeg) = held_worker(&farm, "w").await;
    farm.encoding(&first.id, &worker).await;
    has_numbers(&monitor, "encoder=libx264", [2, 1, 1, 3]).await;
    // It is no worker of a class whose names begin otherwise.
    has_numbers(&monitor, "encoder=libx264&prefix=cpu-", [2, 0, 0, 2]).await;
    let metrics = monitor.get("/metrics").await.expect("metrics");
    for line in [
        r#"ffmpeg_easy_startable_jobs{queue="libx264"} 2"#,
        r#"ffmpeg_easy_running_jobs{queue="libx264"} 1"#,
        r#"ffmpeg_easy_wanted_workers{queue="libx264"} 3"#,
        r#"ffmpeg_easy_queue_running{queue="libx264"} 1"#,
    ] {
        assert!(
            metrics.lines().any(|told| told == line),
            "{line}\n{metrics}"
        );
    }
    let all = monitor.get("/api/v1/scale").await.expect("an answer");
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    let of = |queue: &str| {
        let rows = all["queues"].as_array().expect("a list");
        rows.iter().find(|row| row["queue"] == queue).cloned()
    };
    assert_eq!(of("libx264").expect("it is there")["startable"], 2);
    assert_eq!(of("on_elsewhere"), None);

    // Its job is lost with it, and waits for a worker.
    worker.process.kill();
    within(GONE, &monitor, "encoder=libx264", [3, 0, 0, 3]).await;

    let (status, why) = monitor.refusal("/api/v1/scale?queue=on_w").await;
    assert_eq!(status, 422, "{why}");
    assert!(why.contains("on_w is the queue of one worker"), "{why}");
}

#[tokio::test]
async fn parts_of_a_split_film_are_jobs_that_new_workers_could_start() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let film = farm.folder().join("film.mkv");
    let line = "-v error -f lavfi -i testsrc2=s=320x180:r=24:d=12 -c:v libx264 -g 24";
    let made = Command::new(paths::tool("ffmpeg"))
        .args(line.split(' '))
        .arg(&film)
        .status();
    assert!(made.expect("ffmpeg runs").success());
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Paced(Duration::from_millis(40)));
    let _worker = farm
        .join(farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let job = farm.job(&film, "libx264");
    let mut job = Job::new(job.batch, job.input, job.output, job.recipe, None);
    job.split = Split::Every(2);
    farm.enqueue(&job).await;
    poll::until("parts to wait beside a running one", async || {
        let [startable, running, workers, wanted] = numbers(&monitor, "encoder=libx264").await;
        assert!(wanted <= 8, "six chunks, other tracks, and the whole");
        (startable >= 4 && running == 1 && workers == 1 && wanted == startable + 1).then_some(())
    })
    .await;
    ffmpeg.recover();
    farm.completed(&job.id).await;
    has_numbers(&monitor, "encoder=libx264", [0, 0, 1, 0]).await;
}
