//! Paused queues and batches, and drained workers.

use common::farm::worker::WorkerStatus;
use harness::farm::Farm;
use harness::paths;

use super::{enqueued, held_worker, pending, state, status, why};

#[tokio::test]
async fn a_paused_queue_starts_nothing_until_it_is_resumed() {
    let farm = Farm::start().await;
    farm.producer(["pause", "--queue", "libx264"])
        .await
        .succeeded();
    let paused = pending(&farm, "h264.mp4", "libx264").await;
    let setup = farm.worker("w").encoders("libx264,libx265");
    let _worker = farm.join(setup).await;
    let other = pending(&farm, "vp9.webm", "libx265").await;
    farm.completed(&other.id).await;
    assert!(farm.run(&paused.id).await.is_none(), "it was started");
    assert_eq!(state(&farm, &paused.id).await, "pending");
    let waits = why(&farm, &paused.id).await;
    assert!(waits.starts_with("the queue libx264 is paused"), "{waits}");
    farm.producer(["resume", "--queue", "libx264"])
        .await
        .succeeded();
    farm.completed(&paused.id).await;
}

#[tokio::test]
async fn a_paused_batch_lets_others_by_until_it_is_resumed() {
    let farm = Farm::start().await;
    let clips = ["h264.mp4", "vp9.webm"].map(paths::media);
    let options = ["--encoder", "libx264", "--priority", "9"];
    let (jobs, batch) = enqueued(&farm, &clips, &options).await;
    farm.producer(["pause", "--batch", &batch])
        .await
        .succeeded();
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let other = pending(&farm, "hevc.mkv", "libx264").await;
    farm.completed(&other.id).await;
    for job in &jobs {
        assert_eq!(state(&farm, job).await, "paused");
        assert!(why(&farm, job).await.starts_with("its batch is paused"));
    }
    let (_, again) = enqueued(&farm, &clips, &options).await;
    assert_eq!(again, "", "they are there already");
    let gone = jobs[1].to_string();
    farm.producer(["cancel", &gone[..8]]).await.succeeded();

    farm.producer(["resume", "--batch", &batch])
        .await
        .succeeded();
    farm.completed(&jobs[0]).await;
    assert_eq!(state(&farm, &jobs[1]).await, "cancelled");
    assert_eq!(farm.queued().await, 0);
}

#[tokio::test]
async fn a_drained_worker_finishes_its_jobs_and_takes_jobs_again_after_resume() {
    let farm = Farm::start().await;
    let unknown = farm.producer(["drain", "nobody"]).await.succeeded();
    assert!(unknown.stderr.contains("worker nobody is not alive"));
    let (worker, ffmpeg) = held_worker(&farm, "w").await;
    let running = pending(&farm, "h264.mp4", "libx264").await;
    farm.encoding(&running.id, &worker).await;
    let waiting = pending(&farm, "vp9.webm", "libx264").await;
    farm.producer(["drain", "w"]).await.succeeded();
    status(&farm, "w", WorkerStatus::Draining).await;
    ffmpeg.release();
    farm.completed(&running.id).await;
    status(&farm, "w", WorkerStatus::Drained).await;
    let waits = why(&farm, &waiting.id).await;
    assert!(
        waits.ends_with("(w: drained); `producer resume w` has it take them now"),
        "{waits}"
    );

    let now = jiff::Zoned::now();
    let clock = |hours| {
        let at = now.checked_add(jiff::Span::new().hours(hours)).unwrap();
        at.strftime("%H:%M").to_string()
    };
    let hours = format!("{}-{}", clock(3), clock(4));
    farm.producer(["hours", "w", &hours]).await.succeeded();
    farm.producer(["resume", "w"]).await.succeeded();
    status(&farm, "w", WorkerStatus::OffHours).await;
    let waits = why(&farm, &waiting.id).await;
    assert!(waits.contains("w: off hours until"), "{waits}");
    farm.producer(["hours", "w", "--clear"]).await.succeeded();
    farm.completed(&waiting.id).await;
}
