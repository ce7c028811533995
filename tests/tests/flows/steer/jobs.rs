//! Cancelled, moved, reassigned and retried jobs.

use std::path::PathBuf;

use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::{outside, paths, poll};

use super::{enqueued, gpu_worker, held_worker, no_encode_below, pending, state, why};

#[tokio::test]
async fn a_cancelled_job_stops_or_never_starts() {
    let farm = Farm::start().await;
    let (worker, _ffmpeg) = held_worker(&farm, "w").await;
    let running = pending(&farm, "h264.mp4", "libx264").await;
    farm.encoding(&running.id, &worker).await;
    let waiting = pending(&farm, "vp9.webm", "libx264").await;

    let told = farm.producer(["cancel"]).await;
    assert_eq!(told.code, Some(2), "never everything unasked: {told:?}");
    let told = farm.producer(["cancel", "--state", "failed"]).await;
    assert_eq!(told.code, Some(2), "nothing matches: {told:?}");
    let ids = [running.id.to_string(), waiting.id.to_string()];
    let told = farm.producer(["cancel", &ids[0], &ids[1][..13]]).await;
    assert_eq!(told.succeeded().stdout.trim(), "cancelled 2");
    no_encode_below(&farm.scratch()).await;
    for job in [&running, &waiting] {
        let run = farm.ended(&job.id).await;
        assert_eq!(run.state, RunState::Cancelled);
    }
    poll::until("the queue to be empty", async || {
        (farm.queued().await == 0).then_some(())
    })
    .await;
    assert_eq!(outside::names(&farm.out()), Vec::<PathBuf>::new());
    assert_eq!(farm.dead_letters().await, 0);

    let dry = farm
        .producer(["retry", "--all", "--dry-run", "--json"])
        .await;
    let dry = dry.succeeded().json();
    assert_eq!(
        dry["done"].as_array().map(Vec::len),
        Some(ids.len()),
        "{dry}"
    );
    let late = farm.producer(["cancel", &ids[0], "--dry-run"]).await;
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(
        late.stdout.contains("(cancelled): stays as it is"),
        "{late:?}"
    );
    let late = farm.producer(["cancel", &ids[0]]).await;
    assert_eq!(late.code, Some(1), "{late:?}");
    assert_eq!(
        late.stdout.trim(),
        "cancelled 0, too late for 1 (cancelled)"
    );
    assert!(why(&farm, &running.id).await.starts_with("cancelled at"));
}

#[tokio::test]
async fn a_job_that_becomes_more_urgent_starts_first() {
    let farm = Farm::start().await;
    let first = pending(&farm, "h264.mp4", "libx264").await;
    let second = pending(&farm, "vp9.webm", "libx264").await;
    let line = ["reprioritize", "--match", "*.webm", "--to", "9"];
    let dry = [&line[..], &["--dry-run"]].concat();
    let dry = farm.producer(dry).await.succeeded().stdout;
    let words = "vp9.webm (pending): would be reprioritized";
    assert!(
        dry.contains(words) && dry.ends_with("would be reprioritized to 9: 1\n"),
        "{dry}"
    );
    let told = farm.producer(line).await.succeeded();
    assert_eq!(told.stdout.trim(), "reprioritized to 9: 1");
    let told = farm.producer(line).await.succeeded();
    assert_eq!(told.stdout.trim(), "reprioritized to 9: 0, 1 unchanged");

    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let mut started = Vec::new();
    for job in [&first, &second] {
        farm.completed(&job.id).await;
        let history = farm.view.events(&job.id).await.unwrap();
        let claimed = history.iter().find(|event| event.what.kind() == "claimed");
        started.push(claimed.expect("it started").at);
    }
    assert!(started[1] < started[0], "{started:?}");
}

#[tokio::test]
async fn jobs_go_to_the_worker_that_a_person_names() {
    let farm = Farm::start().await;
    let (one, _ffmpeg) = held_worker(&farm, "one").await;
    let running = pending(&farm, "h264.mp4", "libx264").await;
    farm.encoding(&running.id, &one).await;
    let pinned = ["--encoder", "libx264", "--worker", "one"];
    let (ids, _) = enqueued(&farm, &[paths::media("vp9.webm")], &pinned).await;
    let two = farm.join(farm.worker("two").encoders("libx264")).await;
    poll::until("the pinned job to wait for its worker alone", async || {
        let waits = why(&farm, &ids[0]).await;
        waits
            .contains("the only worker for it is busy")
            .then_some(())
    })
    .await;

    let (running_id, pinned_id) = (running.id.to_string(), ids[0].to_string());
    let line = ["reassign", &running_id, &pinned_id, "two"];
    let told = farm.producer(line).await.succeeded();
    assert_eq!(told.stdout.trim(), "reassigned 2");
    no_encode_below(&farm.scratch_of("one")).await;
    for job in [running.id, ids[0]] {
        let (run, report) = farm.completed(&job).await;
        assert_eq!(report.worker.as_str(), two.name);
        assert_eq!(run.spent(), 1, "being moved costs no attempt");
    }
}

#[tokio::test]
async fn a_worker_that_cannot_run_a_job_is_given_it_only_by_force() {
    let farm = Farm::start().await;
    let _cpu = farm.join(farm.worker("cpu").encoders("libx265")).await;
    let clip = paths::media("vp9.webm");
    let line = ["enqueue", clip.to_str().unwrap(), "-o", "out"];
    let line = line.into_iter().chain(["--encoder", "hevc_nvenc"]);
    let pinned = line.clone().chain(["--worker", "cpu", "--require-worker"]);
    let refused = farm.producer(pinned).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("proved instead: libx265"));
    let unknown = farm.producer(line.chain(["--worker", "away"])).await;
    let warning = unknown.succeeded().stderr;
    assert!(
        warning.contains("worker away is not alive; jobs wait"),
        "{warning}"
    );

    let job = pending(&farm, "h264.mp4", "hevc_nvenc").await;
    let id = job.id.to_string();
    let refused = farm.producer(["reassign", &id, "--to", "cpu"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("it has proved instead: libx265"),
        "{refused:?}"
    );
    assert!(why(&farm, &job.id).await.contains("libx265 (on cpu)"));

    let line = ["reassign", &id, "--to", "cpu", "--force"];
    farm.producer(line).await.succeeded();
    let shown = farm.producer(["job", &id, "--json"]).await.succeeded();
    assert_eq!(shown.json()["run"]["queue"], "on_cpu");
    let gpu = gpu_worker(&farm, "gpu").await;
    let waits = why(&farm, &job.id).await;
    assert!(waits.contains("cpu: hevc_nvenc is not in"), "{waits}");

    farm.producer(["reassign", &id, "--auto"]).await.succeeded();
    let (_, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), gpu.name);
}

#[tokio::test]
async fn a_job_hops_to_another_encoder_only_where_it_may() {
    let farm = Farm::start().await;
    let _cpu = farm.join(farm.worker("cpu").encoders("libx265")).await;
    let clip = paths::media("h264.mp4");
    let stays = pending(&farm, "vp9.webm", "hevc_nvenc").await;
    let either = "hevc_nvenc,libx265";
    for bad in [
        vec!["--encoder", either],
        vec!["--encoder", "libx265", "--hop-after", "1s"],
        vec!["--encoder", "hevc_nvenc,libx264", "--hop-after", "1s"],
    ] {
        let line = ["enqueue", clip.to_str().unwrap(), "-o", "out"];
        let refused = farm.producer(line.into_iter().chain(bad)).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    let options = ["--encoder", either, "--hop-after", "1h"];
    let (later, _) = enqueued(&farm, &[paths::media("hevc.mkv")], &options).await;
    let waits = why(&farm, &later[0]).await;
    assert!(
        waits.contains("the queue libx265 is opened to it at"),
        "{waits}"
    );

    let options = ["--encoder", either, "--hop-after", "1s"];
    let (fallbacks, _) = enqueued(&farm, &[clip], &options).await;
    let (run, report) = farm.completed(&fallbacks[0]).await;
    assert_eq!(report.encoder.unwrap().as_str(), "libx265");
    let waited = run.job.enqueued.duration_until(run.changed);
    assert!(waited >= jiff::SignedDuration::from_secs(1), "{waited:#}");
    for job in [&stays.id, &later[0]] {
        assert_eq!(state(&farm, job).await, "pending");
    }
}

#[tokio::test]
async fn jobs_that_failed_alike_are_retried_together() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let _worker = farm.join(setup).await;
    // Set after the start: other tests use the cached capability card of a healthy ffmpeg.
    ffmpeg.set_fault(Fault::Sick);
    let empty = farm.folder().join("empty.mp4");
    std::fs::write(&empty, b"\0no media at all").unwrap();
    let inputs = [paths::media("h264.mp4"), empty];
    let options = ["--encoder", "libx264", "--attempts", "1"];
    let (jobs, _) = enqueued(&farm, &inputs, &options).await;
    for job in &jobs {
        let run = farm.ended(job).await;
        assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
    }
    assert_eq!(farm.dead_letters().await, 2);
    let (crashed, unreadable) = (jobs[0].to_string(), jobs[1].to_string());
    let shown = farm.producer(["job", &crashed]).await.succeeded().stdout;
    assert!(shown.contains("attempt 1 on w"), "{shown}");
    assert!(shown.contains("` retries the job"), "{shown}");
    assert!(why(&farm, &jobs[1]).await.contains("failed for good"));

    ffmpeg.recover();
    let told = farm.producer(["retry", "--fault", "worker"]).await;
    assert_eq!(told.succeeded().stdout.trim(), "retried 1");
    farm.completed(&jobs[0]).await;
    assert_eq!(farm.dead_letters().await, 1);
    let shown = farm.producer(["job", &unreadable, "--json"]).await.json();
    assert_eq!(shown["state"], "failed", "of another kind");
    assert!(shown["dead_letter"].is_object(), "{shown:#}");
    let late = farm.producer(["retry", &crashed]).await;
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.stdout.contains("too late for 1 (completed)"));
}
