//! What a worker takes, and when: sizes, queues, hours, its own health; and
//! that nobody's file is replaced unasked.

use std::path::Path;

use async_nats::Subscriber;
use common::broker::EnqueueResult;
use common::farm::worker::WorkerStatus;
use common::job::Job;
use common::job::failure::Fault as Whose;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use futures::StreamExt;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::servers::store::{BUCKET, TestStore};
use harness::{outside, paths, poll};
use jiff::{Span, Zoned};

/// The worker that completed a job.
fn maker(run: &Run) -> &str {
    match &run.state {
        RunState::Completed { report } => report.worker.as_str(),
        state => panic!("{state:?}"),
    }
}

/// Waits until a worker says this of itself.
async fn stands(farm: &Farm, worker: &str, status: WorkerStatus) {
    let what = format!("{worker} to be {status}");
    poll::until(&what, async || {
        let heartbeat = farm.heartbeat(worker).await?;
        (heartbeat.status == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_worker_takes_only_sizes_and_queues_within_its_terms() {
    let farm = Farm::start().await;
    let size = std::fs::metadata(paths::media("h264.mp4")).unwrap().len();
    let small = farm.worker("small").encoders("libx264");
    let _small = farm
        .join(small.option("--max-size", (size - 1).to_string()))
        .await;
    let other = farm.worker("other").encoders("libx264,libx265");
    let _other = farm.join(other.option("--only", "libx265")).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    // A worker takes the jobs that it may take in the order in which they were enqueued. So once each of the two has
    // done a later job, it has left this one.
    for (clip, encoder, worker) in [
        ("ten-bit.mkv", "libx264", "small"),
        ("hevc.mkv", "libx265", "other"),
    ] {
        let later = farm.job(&paths::media(clip), encoder);
        farm.enqueue(&later).await;
        assert_eq!(maker(&farm.ended(&later.id).await), worker);
    }
    assert_eq!(farm.run(&job.id).await, None, "taken against their terms");
    let large = farm.worker("large").encoders("libx264");
    let _large = farm
        .join(large.option("--min-size", size.to_string()))
        .await;
    assert_eq!(maker(&farm.ended(&job.id).await), "large");
}

#[tokio::test]
async fn a_worker_starts_jobs_within_its_hours_only() {
    let farm = Farm::start().await;
    let clock = |minutes: i64| {
        let at = Zoned::now().checked_add(Span::new().minutes(minutes));
        at.unwrap().strftime("%H:%M").to_string()
    };
    // They ended a while ago, and begin again in most of a day.
    let over = format!("{}-{}", clock(-20), clock(-10));
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.option("--schedule", &over)).await;
    stands(&farm, "w", WorkerStatus::OffHours).await;
    let input = paths::media("h264.mp4");
    let job = farm.job(&input, "libx264");
    farm.enqueue(&job).await;
    // Another worker, which may not take the job, does one that was enqueued later.
    let size = std::fs::metadata(&input).unwrap().len();
    let other = farm.worker("other").encoders("libx264");
    let mut other = farm
        .join(other.option("--max-size", (size - 1).to_string()))
        .await;
    let later = farm.job(&paths::media("ten-bit.mkv"), "libx264");
    farm.enqueue(&later).await;
    assert_eq!(maker(&farm.ended(&later.id).await), "other");
    other.process.kill();
    assert_eq!(farm.run(&job.id).await, None, "taken out of hours");
    let heartbeat = farm.heartbeat("w").await.unwrap();
    assert!(heartbeat.until.expect("they begin again") > jiff::Timestamp::now());
    // A person sets others, from far away.
    let now = format!("{}-{}", clock(-10), clock(60));
    farm.producer(["hours", "w", &now]).await.succeeded();
    assert_eq!(maker(&farm.ended(&job.id).await), "w");
}

#[tokio::test]
async fn a_worker_whose_own_encode_fails_rests_until_it_is_well() {
    let farm = Farm::start().await;
    // A build of its own: what is proved while it is sick is nobody else's.
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg")).with_encoder("sick", "libx264");
    let setup = farm.worker("broken").encoders("libx264").ffmpeg(&ffmpeg);
    let setup = setup
        .option("--quarantine-after", "2")
        .option("--quarantine-rest", "3s");
    let _broken = farm.join(setup).await;
    ffmpeg.set_fault(Fault::Sick);
    let clips = ["h264.mp4", "vp9.webm", "hevc.mkv"];
    let jobs: Vec<Job> = clips
        .iter()
        .map(|clip| farm.job(&paths::media(clip), "libx264"))
        .collect();
    for job in &jobs {
        farm.enqueue(job).await;
    }
    stands(&farm, "broken", WorkerStatus::Quarantined).await;
    let heartbeat = farm.heartbeat("broken").await.unwrap();
    let note = heartbeat.note.unwrap();
    assert!(
        note.contains("2 jobs in a row") && note.contains("a proof encode"),
        "{note}"
    );
    let third = farm.run(&jobs[2].id).await;
    assert!(
        third.is_none_or(|run| run.failures.is_empty()),
        "it went on taking jobs"
    );
    // Whoever is well does them all; and the other comes back when it is well itself.
    let _sound = farm.join(farm.worker("sound").encoders("libx264")).await;
    for job in &jobs {
        assert_eq!(maker(&farm.ended(&job.id).await), "sound");
    }
    ffmpeg.recover();
    stands(&farm, "broken", WorkerStatus::Ready).await;
    poll::until("what it had lost to be proved again", async || {
        let heartbeat = farm.heartbeat("broken").await?;
        heartbeat.serves(&"libx264".parse().unwrap()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn jobs_that_fail_one_after_the_other_do_not_stop_a_sound_worker() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Crash { after_frames: 3 });
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let setup = setup
        .option("--quarantine-after", "2")
        .option("--quarantine-rest", "30m")
        .environment(store.environment());
    let _worker = farm.join(setup).await;
    let mut bad = Vec::new();
    for clip in ["h264.mp4", "vp9.webm", "hevc.mkv"] {
        // Damaged: ffmpeg dies of each.
        bad.push(farm.job(&paths::media(clip), "libx264"));
        // Deleted before its turn.
        let folder = farm.folder_of("deleted", &[paths::media(clip)]);
        let mut job = farm.job(&folder.join(clip), "libx264");
        job.output = Location::file(&farm.out().join(format!("deleted-{clip}.mkv"))).unwrap();
        std::fs::remove_file(folder.join(clip)).unwrap();
        bad.push(job);
        // No store can be asked for it.
        let mut input = farm.job(&paths::media(clip), "libx264").input;
        input.location = Location::s3(BUCKET, &format!("in/{clip}\n.mp4")).unwrap();
        let output = Location::s3(BUCKET, &format!("out/{clip}.mkv")).unwrap();
        let job = farm.job(&paths::media(clip), "libx264");
        bad.push(Job::new(job.batch, input, output, job.recipe, None));
    }
    for job in &mut bad {
        job.attempts = 1;
        farm.enqueue(job).await;
    }
    for job in &bad {
        let run = farm.ended(&job.id).await;
        let RunState::Failed { failure } = &run.state else {
            panic!("{run:#?}")
        };
        if job.input.location.is_remote() {
            assert_eq!(failure.fault, Whose::Input, "{failure}");
        }
    }
    ffmpeg.recover();
    let good = farm.job(&paths::media("ten-bit.mkv"), "libx264");
    farm.enqueue(&good).await;
    assert_eq!(maker(&farm.ended(&good.id).await), "w");
    assert!(farm.heartbeat("w").await.unwrap().status == WorkerStatus::Ready);
}

#[tokio::test]
async fn two_jobs_with_one_output_do_not_replace_each_other() {
    let farm = Farm::start().await;
    let first = farm.job(&paths::media("h264.mp4"), "libx264");
    let other = farm.job(&paths::media("vp9.webm"), "libx264");
    let second = Job::new(
        other.batch,
        other.input,
        first.output.clone(),
        other.recipe,
        None,
    );
    farm.enqueue(&first).await;
    let (_, refused) = farm.enqueue(&second).await;
    assert!(
        matches!(&refused, EnqueueResult::OutputTaken(holder) if holder.job == first.id),
        "{refused:?}"
    );
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    assert_eq!(maker(&farm.ended(&first.id).await), "w");
    let made = std::fs::read(first.output.path().unwrap()).unwrap();
    farm.enqueue(&second).await;
    let run = farm.ended(&second.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert_eq!(failure.fault, Whose::Input);
    assert!(failure.message.contains("left as it is"), "{failure}");
    assert_eq!(std::fs::read(first.output.path().unwrap()).unwrap(), made);
    assert_eq!(outside::names(&farm.out()), [Path::new("h264.mkv")]);
    // Told to, it replaces.
    let third = Job {
        replace: true,
        ..Job::new(
            second.batch,
            second.input,
            second.output,
            second.recipe,
            Some(uuid::Uuid::nil()),
        )
    };
    farm.enqueue(&third).await;
    assert_eq!(maker(&farm.ended(&third.id).await), "w");
    assert_ne!(std::fs::read(first.output.path().unwrap()).unwrap(), made);
}

/// Waits until somebody asks the broker for the last heartbeat of this worker.
async fn looked_for(reads: &mut Subscriber, worker: &str) {
    let key = format!("$KV.workers.{worker}\"");
    let found = async {
        while let Some(read) = reads.next().await {
            if String::from_utf8_lossy(&read.payload).contains(&key) {
                return;
            }
        }
        panic!("the broker ended the subscription");
    };
    tokio::time::timeout(poll::PATIENCE, found)
        .await
        .expect("a look for the name");
}

#[tokio::test]
async fn a_name_that_lives_elsewhere_is_not_taken() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let mut elsewhere = farm.heartbeat("w").await.unwrap();
    elsewhere.name = "far".parse().unwrap();
    elsewhere.card.host.name = "another-machine".to_owned();
    farm.view.heartbeat(&elsewhere).await.unwrap();
    let reads = "$JS.API.STREAM.MSG.GET.KV_workers";
    let mut reads = farm.view.client().subscribe(reads).await.unwrap();
    farm.view.client().flush().await.unwrap();
    let mut far = farm.worker("far").encoders("libx264").spawn();
    // The worker looks for its name again and again: the second look comes after it found the name taken.
    for _ in 0..2 {
        looked_for(&mut reads, "far").await;
    }
    assert!(far.process.ended().is_none(), "it waits for the name");
    let heard = farm.heartbeat("far").await.unwrap();
    assert_eq!(heard.card.host.name, elsewhere.card.host.name);
    // Nobody renews that heartbeat: then the name is free.
    farm.ready(&mut far).await;
}
