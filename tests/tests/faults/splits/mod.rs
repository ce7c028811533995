//! Split jobs while things break: their films are whole in the end, no work is done over that was done, and nothing is
//! left behind.

mod builds;
mod parts;
mod steps;
mod store;
mod storm;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::broker::Enqueued;
use common::farm::queue::{Lane, Priority};
use common::job::Job;
use common::job::run::report::Report;
use common::job::split::{PIECES, PartReport, Split, SplitReport};
use common::recipe::{Rate, Video};
use futures::TryStreamExt;
use harness::farm::Farm;
use harness::outside::media::decoded;
use harness::process::{Signal, run};
use harness::{outside, paths, poll};

/// The pictures of a film for each second, which are those of one chunk.
const PICTURES: u32 = 24;

/// Makes a film of so many seconds, with a keyframe each second, B-frames, and sound.
async fn film(folder: &Path, name: &str, seconds: u32) -> PathBuf {
    let film = folder.join(name);
    let sources = format!(
        "-v error -f lavfi -i testsrc2=s=160x90:r={PICTURES}:d={seconds} -f lavfi -i sine=f=440:d={seconds}"
    );
    let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
    ffmpeg
        .args(sources.split(' '))
        .args(format!("-c:v libx264 -g {PICTURES} -bf 2 -c:a aac -y").split(' '))
        .arg(&film);
    run(ffmpeg).await.succeeded();
    film
}

/// A job without loss, in chunks of a second.
fn job(farm: &Farm, film: &Path, name: &str, split: Split) -> Job {
    let job = farm.job(film, "libx264");
    let recipe = job.recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Lossless;
        }
    });
    let output = job.output.sibling(name);
    let mut job = Job::new(job.batch, job.input, output, recipe.expect("sound"), None);
    job.split = split;
    job
}

fn output(job: &Job) -> PathBuf {
    job.output.path().expect("a file")
}

/// What all outputs must hold: the pictures and sounds of an unsplit encode, by a worker that is gone afterwards.
async fn reference(farm: &Farm, film: &Path) -> String {
    let mut worker = farm
        .join(farm.worker("reference").encoders("libx264"))
        .await;
    let job = job(farm, film, "whole.mkv", Split::Off);
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    worker.process.signal(Signal::TERM);
    worker.process.wait().await;
    let reference = decoded(&output(&job)).await;
    std::fs::remove_file(output(&job)).expect("it is there");
    reference
}

/// Enqueues a job while the broker may be away.
async fn enqueue(farm: &Farm, job: &Job) -> Vec<Enqueued> {
    let lane = Lane {
        priority: Priority::default(),
        queue: job.recipe.queue(),
    };
    let jobs = [(job.clone(), lane)];
    poll::until("the broker to take a job", async || {
        farm.view.enqueue(&jobs, |_| {}).await.ok()
    })
    .await
}

/// Waits until so many chunks of a job are done.
async fn chunks_done(farm: &Farm, job: &Job, count: usize) {
    poll::until("some chunks to be done", async || {
        let state = farm.view.split_state(&job.id).await.ok()?;
        (state.chunks.len() >= count).then_some(())
    })
    .await;
}

/// The parts of a completed job.
fn parts(report: &Report) -> &[PartReport] {
    match &report.split {
        Some(SplitReport::Parts(parts)) => parts,
        other => panic!("not split: {other:#?}"),
    }
}

/// Nothing is left of the jobs but their outputs, and these hold what the film holds.
async fn assert_settled(farm: &Farm, jobs: &[Job], reference: &str) {
    nothing_is_left(farm).await;
    let mut names: Vec<PathBuf> = jobs
        .iter()
        .filter_map(|job| output(job).file_name().map(PathBuf::from))
        .collect();
    names.sort();
    assert_eq!(outside::names(&farm.out()), names);
    for job in jobs {
        assert!(
            decoded(&output(job)).await == reference,
            "{} holds other pictures or sounds than an unsplit encode",
            job.output
        );
    }
    assert_eq!(farm.dead_letters().await, 0);
}

/// Waits until there is no message, no plan, no piece, no run of a part, and no scratch file.
async fn nothing_is_left(farm: &Farm) {
    let mut left = Vec::new();
    let gone = tokio::time::timeout(poll::PATIENCE, async {
        loop {
            left = leftovers(farm).await;
            if left.is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    assert!(gone.await.is_ok(), "left behind: {left:#?}");
}

/// What is left of split jobs, in words.
async fn leftovers(farm: &Farm) -> Vec<String> {
    let mut left = Vec::new();
    let queued = farm.queued().await;
    if queued > 0 {
        left.push(format!("{queued} messages"));
    }
    match farm.view.plans().await {
        Ok(plans) => left.extend(
            plans
                .iter()
                .map(|(plan, _)| format!("plan {}", plan.job.id)),
        ),
        Err(error) => left.push(error.to_string()),
    }
    match runs(farm).await {
        Ok(keys) => left.extend(keys.into_iter().filter(|key| !key.ends_with(".all"))),
        Err(error) => left.push(error),
    }
    if farm.out().join(PIECES).exists() {
        left.extend(
            outside::names(&farm.out().join(PIECES))
                .iter()
                .map(|name| format!("piece {}", name.display())),
        );
        left.push("the folder of pieces".to_owned());
    }
    let scratch = outside::scratch_files(&farm.scratch());
    left.extend(
        scratch
            .iter()
            .map(|name| format!("scratch {}", name.display())),
    );
    left
}

/// The keys of all runs.
async fn runs(farm: &Farm) -> Result<Vec<String>, String> {
    let bucket = farm.view.jetstream().get_key_value("runs").await;
    let keys = bucket.map_err(|error| error.to_string())?.keys().await;
    let keys = keys.map_err(|error| error.to_string())?;
    keys.try_collect().await.map_err(|error| error.to_string())
}
