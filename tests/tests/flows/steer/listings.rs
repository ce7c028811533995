//! The producer's listings of jobs and batches.

use common::job::id::JobId;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::{paths, poll};
use serde_json::Value;

use super::{enqueued, held_worker, pending, why};

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
async fn a_batch_shows_its_progress() {
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
    // Followed from before the job starts, the log ends by itself.
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
        !told.stdout.is_empty() || told.stderr.contains("no log yet"),
        "{told:?}"
    );
    let unknown = farm.producer(["reassign", &id]).await;
    assert_eq!(unknown.code, Some(2), "no worker is named: {unknown:?}");
}
