//! Target quality on several workers: they share the sample encodes, and one that dies costs only time.

use common::farm::film::{BlackBorders, FilmFindings};
use common::farm::sample::{Sample, SampleRequest};
use common::job::Job;
use common::job::run::quality::FoundQuality;
use common::recipe::{Borders, Crop, Metric, QualityTarget, Rate, Video};
use harness::farm::Farm;
use harness::{paths, poll};

/// A job that searches the quality of a clip, in the samples' own time.
fn job(farm: &Farm, clip: &str, score: &str) -> Job {
    let mut job = farm.job(&paths::clip(clip), "libx264");
    let recipe = job.recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Target(QualityTarget {
                score: score.parse().expect("a score"),
                max_percent: 1000,
            });
        }
    });
    job.recipe = recipe.expect("sound");
    Job::new(job.batch, job.input, job.output, job.recipe, None)
}

async fn found(farm: &Farm, job: &Job) -> FoundQuality {
    let (_, report) = farm.completed(&job.id).await;
    let quality = report.quality.expect("measured");
    quality.found.expect("a target")
}

#[tokio::test]
async fn all_workers_with_the_encoder_make_sample_encodes() {
    let farm = Farm::start().await;
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    // This one has proved another encoder only.
    let _c = farm.join(farm.worker("c").encoders("libx265")).await;
    let job = job(&farm, "bikes.mp4", "ssim=0.97");
    farm.enqueue(&job).await;
    let found = found(&farm, &job).await;
    let workers: Vec<&str> = found.workers.iter().map(|name| name.as_str()).collect();
    assert_eq!(workers, ["a", "b"], "{found:?}");
    assert!(found.score >= 0.97 && found.tries > 1, "{found:?}");
    let id = job.id.to_string();
    let shown = farm.producer(["job", &id]).await.succeeded();
    assert!(
        shown.stdout.contains(&format!("quality   {found}")),
        "{}",
        shown.stdout
    );
    let json = farm
        .producer(["job", &id, "--json"])
        .await
        .succeeded()
        .json();
    let report = &json["run"]["state"]["completed"]["report"];
    assert_eq!(report["quality"]["found"]["crf"], found.crf, "{json:#}");
    for part in [
        "input_size",
        "output_size",
        "frames",
        "changes",
        "output_media",
    ] {
        assert!(!report[part].is_null(), "{part} is not in {json:#}");
    }
}

#[tokio::test]
async fn a_helper_goes_by_what_the_owner_has_seen_in_the_film() {
    let farm = Farm::start().await;
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    let helper = "b".parse().expect("a name");
    let card = farm.heartbeat("b").await.expect("it lives").card;
    let mut job = farm.job(&paths::clip("carphone_pristine.mp4"), "libx264");
    let recipe = job.recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Crf(20.0);
            video.crop = Crop::Auto;
        }
    });
    job.recipe = recipe.expect("sound");
    // The clip has no borders. Whether a part of it has some, only the owner knows: it has seen that part.
    let bytes = async |top: u32| {
        let borders = Borders {
            top,
            ..Borders::default()
        };
        let borders = BlackBorders {
            borders,
            pictures: 10,
            usable: 10,
            is_mixed: false,
        };
        let request = SampleRequest {
            input: job.input.clone(),
            recipe: job.recipe.clone(),
            encoder: "libx264".parse().expect("an encoder"),
            metric: Metric::Ssim,
            sample: Sample {
                stream: 0,
                start: 0.0,
                frames: Some(25),
                is_turned: false,
            },
            film: FilmFindings {
                borders: Some(borders),
                ..FilmFindings::default()
            },
            build: card.ffmpeg.build.parse().expect("a token"),
        };
        let score = farm.view.sample_score(&helper, &request).await;
        score.expect("a free helper").encoded
    };
    let (whole, half) = (bytes(0).await, bytes(72).await);
    assert!(half * 4 < whole * 3, "{half} of {whole} bytes");
    assert_eq!(bytes(0).await, whole);
}

#[tokio::test]
async fn a_helper_that_dies_in_a_sample_encode_costs_only_time() {
    let farm = Farm::start().await;
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let mut b = farm.join(farm.worker("b").encoders("libx264")).await;
    let mut job = job(&farm, "carphone_pristine.mp4", "ssim=0.97");
    job.recipe = job
        .recipe
        .edit(|draft| {
            // Long enough to be caught in the middle, and short enough for a search on a busy machine.
            if let Video::Encode(video) = &mut draft.video {
                video.preset = Some("veryslow".parse().expect("a word"));
            }
        })
        .expect("sound");
    let job = Job::new(job.batch, job.input, job.output, job.recipe, None);
    let lane = common::farm::queue::Lane {
        priority: common::farm::queue::Priority::default(),
        queue: "on_a".parse().expect("a queue"),
    };
    let enqueued = farm.view.enqueue(&[(job.clone(), lane)], |_| {}).await;
    enqueued.expect("the broker takes it");
    let encoded = farm
        .scratch_of("b")
        .join("sample")
        .join("work")
        .join("encoded.mkv");
    poll::until("the helper to encode a sample", async || {
        encoded.exists().then_some(())
    })
    .await;
    b.process.kill();
    let found = found(&farm, &job).await;
    let workers: Vec<&str> = found.workers.iter().map(|name| name.as_str()).collect();
    assert_eq!(workers, ["a"], "{found:?}");
    assert!(found.score >= 0.97, "{found:?}");
}

#[tokio::test]
async fn a_target_waits_for_a_worker_that_can_measure_it() {
    let farm = Farm::start().await;
    let _old = farm.join(farm.worker("old").encoders("libx264")).await;
    let job = job(&farm, "carphone_pristine.mp4", "vmaf=85");
    farm.enqueue(&job).await;
    let why = farm
        .producer(["why", &job.id.to_string()])
        .await
        .succeeded();
    assert!(
        why.stdout
            .contains("old: its ffmpeg cannot measure vmaf, but ssim"),
        "{}",
        why.stdout
    );
    let recent = paths::brought().join("ffmpeg-recent/ffmpeg");
    let new = farm.worker("new").encoders("libx264");
    let _new = farm.join(new.option("--ffmpeg", recent)).await;
    let found = found(&farm, &job).await;
    let workers: Vec<&str> = found.workers.iter().map(|name| name.as_str()).collect();
    assert_eq!(
        workers,
        ["new"],
        "another build would make another file: {found:?}"
    );
    assert!(found.score >= 85.0, "{found:?}");
}
