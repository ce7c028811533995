//! A person changes their mind: about jobs, queues, batches and workers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::worker::WorkerStatus;
use common::job::Job;
use common::job::id::JobId;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::Worker;
use harness::{outside, paths, poll};
use serde_json::Value;

/// A worker whose encodes do not end before its stand-in lets them.
async fn held_worker(farm: &Farm, name: &str) -> (Worker, StandIn) {
    let mut ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")));
    ffmpeg.set_fault(Fault::Held);
    let setup = farm.worker(name).encoders("libx264").ffmpeg(&ffmpeg);
    (farm.join(setup).await, ffmpeg)
}

/// A worker that has a stand-in for NVENC.
async fn gpu_worker(farm: &Farm, name: &str) -> Worker {
    let ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")))
        .with_encoder("hevc_nvenc", "libx265");
    farm.join(farm.worker(name).encoders("hevc_nvenc").ffmpeg(&ffmpeg))
        .await
}

/// Enqueues a clip past the producer.
async fn pending(farm: &Farm, clip: &str, encoder: &str) -> Job {
    let job = farm.job(&paths::media(clip), encoder);
    farm.enqueue(&job).await;
    job
}

/// Enqueues through the producer; the ids of the jobs, in order, and the batch.
async fn enqueued(farm: &Farm, inputs: &[PathBuf], options: &[&str]) -> (Vec<JobId>, String) {
    let mut line = vec!["enqueue", "-o", "out", "--json"];
    line.extend(inputs.iter().map(|input| input.to_str().unwrap()));
    line.extend(options);
    let outcome = farm.producer(line).await.succeeded().json();
    let jobs = outcome["jobs"].as_array().expect("a list of jobs");
    let ids = jobs
        .iter()
        .map(|job| job["job"].as_str().unwrap().parse().unwrap());
    let batch = outcome["batch"].as_str().unwrap_or_default().to_owned();
    (ids.collect(), batch)
}

/// What `producer why` says.
async fn why(farm: &Farm, job: &JobId) -> String {
    let id = job.to_string();
    let told = farm.producer(["why", &id]).await.succeeded();
    told.stdout.trim().to_owned()
}

/// The job's state as `producer jobs` lists it.
async fn state(farm: &Farm, job: &JobId) -> String {
    let jobs = farm.producer(["jobs", "--json"]).await.succeeded().json();
    let id = job.to_string();
    let found = jobs.as_array().unwrap().iter().find(|job| job["id"] == id);
    found.expect("it is listed")["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn status(farm: &Farm, worker: &str, wanted: WorkerStatus) {
    poll::until(&format!("{worker} to be {wanted}"), async || {
        let heartbeat = farm.heartbeat(worker).await?;
        (heartbeat.status == wanted).then_some(())
    })
    .await;
}

async fn no_encode_below(folder: &Path) {
    let patience = Duration::from_secs(2);
    poll::until_within(patience, "ffmpeg to be gone", async || {
        outside::encodes_in(folder).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_cancelled_stops_or_never_starts() {
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
    let told = farm.producer(line).await.succeeded();
    assert_eq!(told.stdout.trim(), "priority 9 for 1");
    let told = farm.producer(line).await.succeeded();
    assert_eq!(told.stdout.trim(), "priority 9 for 0, 1 so already");

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
async fn a_drained_worker_finishes_what_it_has_and_goes_on_when_it_may() {
    let farm = Farm::start().await;
    let unknown = farm.producer(["drain", "nobody"]).await.succeeded();
    assert!(unknown.stderr.contains("no worker nobody is alive"));
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

#[tokio::test]
async fn what_failed_alike_is_tried_again_together() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Sick);
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let _worker = farm.join(setup).await;
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
    assert!(shown.contains("` tries it again"), "{shown}");
    assert!(why(&farm, &jobs[1]).await.contains("failed for good"));

    ffmpeg.recover();
    let told = farm.producer(["retry", "--fault", "worker"]).await;
    assert_eq!(told.succeeded().stdout.trim(), "to be tried again: 1");
    farm.completed(&jobs[0]).await;
    assert_eq!(farm.dead_letters().await, 1);
    let shown = farm.producer(["job", &unreadable, "--json"]).await.json();
    assert_eq!(shown["state"], "failed", "of another kind");
    assert!(shown["dead_letter"].is_object(), "{shown:#}");
    let late = farm.producer(["retry", &crashed]).await;
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.stdout.contains("too late for 1 (completed)"));
}

#[tokio::test]
async fn why_says_what_holds_a_job() {
    let farm = Farm::start().await;
    let clip = paths::media("hevc.mkv");
    let pinned = ["--encoder", "libx264", "--worker", "away"];
    let (away, _) = enqueued(&farm, std::slice::from_ref(&clip), &pinned).await;
    let running = pending(&farm, "h264.mp4", "libx264").await;
    assert_eq!(why(&farm, &running.id).await, "no worker is alive");
    let (worker, ffmpeg) = held_worker(&farm, "w").await;
    farm.encoding(&running.id, &worker).await;
    let next = pending(&farm, "vp9.webm", "libx264").await;
    let last = pending(&farm, "mpeg2.ts", "libx264").await;
    let nobody = pending(&farm, "tracks.mkv", "libx265").await;
    poll::until("the farm to hear that w is busy", async || {
        let heartbeat = farm.heartbeat("w").await?;
        (heartbeat.running == [running.id]).then_some(())
    })
    .await;

    let says = async |job: &JobId, words: &str| {
        let sentence = why(&farm, job).await;
        assert!(sentence.contains(words), "{words:?} is not in {sentence:?}");
    };
    says(&running.id, "running on w since").await;
    says(&away[0], "pinned to worker away, which is not alive").await;
    says(
        &next.id,
        "the only worker for it is busy, and it is the next",
    )
    .await;
    says(&last.id, "is busy, and 1 job goes before it").await;
    says(
        &nobody.id,
        "no live worker can run it (w: libx265 is not in",
    )
    .await;
    ffmpeg.release();
    farm.completed(&last.id).await;
    says(&last.id, "completed by w at").await;

    let known = farm.producer(["why", &last.id.to_string(), "--json"]).await;
    assert_eq!(known.succeeded().json()["cause"], "completed");
    let unknown = farm.producer(["why", "00000000"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
}

#[tokio::test]
async fn a_batch_says_how_far_it_is() {
    let farm = Farm::start().await;
    let (worker, ffmpeg) = held_worker(&farm, "w").await;
    let folder = farm.folder_of("in", &["h264.mp4", "vp9.webm"].map(paths::media));
    let inputs = [folder.clone()];
    let (jobs, batch) = enqueued(&farm, &inputs, &["--encoder", "libx264"]).await;
    farm.encoding(&jobs[0], &worker).await;
    let progress = async || -> Value {
        let shown = farm.producer(["batch", &batch, "--json"]).await;
        shown.succeeded().json()
    };
    let shown = progress().await;
    assert_eq!(shown["label"], folder.to_str().unwrap());
    assert_eq!(shown["progress"]["running"], 1, "{shown:#}");
    assert_eq!(shown["progress"]["pending"], 1, "{shown:#}");
    ffmpeg.release();
    for job in &jobs {
        farm.completed(job).await;
    }
    let shown = progress().await;
    assert_eq!(shown["progress"]["completed"], 2, "{shown:#}");
    assert!(shown["progress"]["output_bytes"].as_u64() > Some(0));
    let text = farm.producer(["batch", &batch]).await.succeeded().stdout;
    assert!(text.contains("2 completed"), "{text}");

    let of_batch = ["jobs", "--batch", &batch, "--match", "*.webm", "--json"];
    let listed = farm.producer(of_batch).await.succeeded().json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed:#}");
    let again = enqueued(&farm, &inputs, &["--encoder", "libx264"]).await;
    assert_eq!(again.1, "", "nothing was added");
    let batches = farm.producer(["batches", "--json"]).await.succeeded();
    let batches = batches.json();
    assert_eq!(batches.as_array().unwrap().len(), 1, "{batches:#}");
    assert_eq!(batches[0]["jobs"], 2);

    let plan = ["plan", "--encoder", "libx264", "--json"];
    let plan = poll::until("the history to be there", async || {
        let plan = farm.producer(plan).await.succeeded().json();
        let jobs = plan["candidates"][0]["measured"]["jobs"].as_u64();
        (jobs == Some(2)).then_some(plan)
    })
    .await;
    let measured = &plan["candidates"][0]["measured"];
    assert!(measured["seconds_per_gigabyte"].as_f64() > Some(0.0));
}

#[tokio::test]
async fn logs_tell_what_ffmpeg_was_asked_and_what_it_said() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Crash { after_frames: 3 });
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let _worker = farm.join(setup).await;
    let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
    job.attempts = 1;
    let id = job.id.to_string();
    farm.enqueue(&job).await;
    // Followed from before it starts, it ends by itself.
    let told = farm.producer(["logs", &id, "--follow"]).await.succeeded();
    let run = farm.ended(&job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    let kept = farm.producer(["logs", &id]).await.succeeded();
    assert!(kept.stdout.contains("$ "), "{kept:?}");
    assert!(kept.stdout.contains("libx264"), "{kept:?}");
    assert!(kept.stdout.contains(&failure.message), "{kept:?}");
    assert!(
        !told.stdout.is_empty() || told.stderr.contains("nothing"),
        "{told:?}"
    );
    let unknown = farm.producer(["reassign", &id]).await;
    assert_eq!(unknown.code, Some(2), "no worker is named: {unknown:?}");
}
