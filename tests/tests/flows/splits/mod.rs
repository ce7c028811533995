//! One file on several workers: its chunks are encoded at once, and joined to the same film as without a split.

mod bucket;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::Job;
use common::job::part::Part;
use common::job::run::report::Report;
use common::job::split::{PIECES, Split, SplitReport};
use common::names::location::Location;
use common::recipe::{QualityTarget, Rate, Video};
use harness::farm::Farm;
use harness::outside::media::{Media, decoded};
use harness::{outside, paths, poll};

/// A film of 12 s with a keyframe each second, B-frames, sound that begins late, and subtitles.
fn film(folder: &Path) -> PathBuf {
    let subtitles = folder.join("film.srt");
    let text =
        "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:09,200 --> 00:00:11,000\nGoodbye\n";
    std::fs::write(&subtitles, text).expect("room");
    let film = folder.join("film.mkv");
    let line = "-v error -f lavfi -i testsrc2=s=320x180:r=24000/1001:d=12 -itsoffset 0.3 -f lavfi -i sine=f=440:d=11.5 -i";
    let made = Command::new(paths::tool("ffmpeg"))
        .args(line.split(' '))
        .arg(&subtitles)
        .args([
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-metadata",
            "title=A film",
        ])
        .args([
            "-c:v", "libx264", "-g", "24", "-bf", "3", "-c:a", "aac", "-c:s", "srt",
        ])
        .arg(&film)
        .status();
    assert!(made.expect("ffmpeg runs").success());
    film
}

/// A job without loss, in chunks of about so many seconds.
fn job(farm: &Farm, film: &Path, split: Split) -> Job {
    let job = farm.job(film, "libx264");
    let output = job.output.sibling(&format!("{split}.mkv"));
    lossless(job, output, split)
}

/// As a job, without loss and with another output.
fn lossless(job: Job, output: Location, split: Split) -> Job {
    let recipe = job.recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Lossless;
        }
    });
    let recipe = recipe.expect("sound");
    let mut job = Job::new(job.batch, job.input, output, recipe, None);
    job.split = split;
    job
}

/// The hidden folder of pieces.
fn pieces(farm: &Farm) -> PathBuf {
    farm.out().join(PIECES)
}

#[tokio::test]
async fn a_film_in_chunks_is_the_same_as_in_one() {
    let farm = Farm::start().await;
    let film = film(farm.folder());
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    let (whole, split) = (
        job(&farm, &film, Split::Off),
        job(&farm, &film, Split::Every(1)),
    );
    farm.enqueue(&whole).await;
    farm.enqueue(&split).await;
    let (_, alone) = farm.completed(&whole.id).await;
    let (_, joined) = farm.completed(&split.id).await;
    assert_eq!(alone.split, None);
    let Some(SplitReport::Parts(parts)) = &joined.split else {
        panic!("{joined:#?}")
    };
    let chunks = parts.iter().filter(|part| part.part.chunk().is_some());
    assert_eq!(chunks.clone().count(), 12, "{parts:#?}");
    assert_eq!(chunks.map(|part| part.frames).sum::<u64>(), joined.frames);
    assert!(parts.iter().any(|part| part.part == Part::Rest));
    let mut workers: Vec<&str> = parts.iter().map(|part| part.worker.as_str()).collect();
    workers.sort_unstable();
    workers.dedup();
    assert_eq!(workers, ["a", "b"]);
    assert_eq!(joined.frames, alone.frames);
    assert_eq!(joined.changes, alone.changes);
    let path = |job: &Job| job.output.path().expect("a file");
    assert_eq!(decoded(&path(&split)).await, decoded(&path(&whole)).await);
    let (one, other) = (Media::of(&path(&split)), Media::of(&path(&whole)));
    let kinds = |media: &Media| -> Vec<String> {
        media
            .streams
            .iter()
            .map(|stream| stream.kind.clone())
            .collect()
    };
    assert_eq!(kinds(&one), kinds(&other));
    poll::until("the pieces to be removed", async || {
        (!pieces(&farm).exists()).then_some(())
    })
    .await;
    let left: Vec<PathBuf> = outside::names(&farm.out());
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        farm.view
            .plan(&split.id)
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(farm.queued().await, 0);
}

/// As a job, with a target.
fn with_target(job: &Job, name: &str, split: Split) -> Job {
    let recipe = job.recipe.clone().edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Target(QualityTarget {
                score: "ssim=0.97".parse().expect("a score"),
                max_percent: 1000,
            });
        }
    });
    let output = job.output.sibling(name);
    let recipe = recipe.expect("sound");
    Job {
        split,
        ..Job::new(job.batch, job.input.clone(), output, recipe, None)
    }
}

#[tokio::test]
async fn a_target_is_searched_for_once_and_a_split_job_is_told_as_one() {
    let farm = Farm::start().await;
    let film = film(farm.folder());
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    let job = farm.job(&film, "libx264");
    let whole = with_target(&job, "whole.mkv", Split::Off);
    let split = with_target(&job, "split.mkv", Split::Every(2));
    farm.enqueue(&whole).await;
    let (_, alone) = farm.completed(&whole.id).await;
    farm.enqueue(&split).await;
    let (run, joined) = farm.completed(&split.id).await;
    let found = |report: &Report| {
        let quality = report.quality.clone().expect("measured");
        quality.found.expect("a target")
    };
    assert_eq!(found(&joined).crf, found(&alone).crf);
    assert!(found(&joined).score >= 0.97);
    assert_eq!(joined.frames, alone.frames);
    let Some(SplitReport::Parts(parts)) = &joined.split else {
        panic!("{joined:#?}")
    };
    assert!(parts.iter().all(|part| part.attempt == 1), "{parts:#?}");
    assert_eq!(run.lane().consumer(), "libx264_p5", "its own lane");
    let id = split.id.to_string();
    let shown = farm.producer(["job", &id]).await.succeeded().stdout;
    for told in [
        "queue     libx264 at priority 5".to_owned(),
        format!("attempt   1 of {}", split.attempts),
        format!("in {} parts on ", parts.len()),
        format!("quality   {}", found(&joined)),
    ] {
        assert!(shown.contains(&told), "no '{told}' in\n{shown}");
    }
    assert!(!shown.contains("(attempt"), "{shown}");
    let logs = farm.producer(["logs", &id]).await.succeeded().stdout;
    let first = logs.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("[1] $ ") && first.contains("ffmpeg"),
        "{logs}"
    );
}

#[tokio::test]
async fn a_short_film_is_not_split_by_itself_and_the_report_tells_why() {
    let farm = Farm::start().await;
    let film = film(farm.folder());
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let job = job(&farm, &film, Split::Auto);
    farm.enqueue(&job).await;
    let (_, report) = farm.completed(&job.id).await;
    let Some(SplitReport::Whole(why)) = &report.split else {
        panic!("{report:#?}")
    };
    assert!(!why.is_empty());
    assert!(!pieces(&farm).exists());
}

#[tokio::test]
async fn a_killed_worker_costs_one_chunk() {
    let farm = Farm::start().await;
    let film = film(farm.folder());
    let mut a = farm.join(farm.worker("a").encoders("libx264")).await;
    let job = job(&farm, &film, Split::Every(1));
    farm.enqueue(&job).await;
    poll::until("some chunks to be done", async || {
        let state = farm.view.split_state(&job.id).await.ok()?;
        (state.chunks.len() >= 3).then_some(())
    })
    .await;
    a.process.kill();
    let before = farm.view.split_state(&job.id).await.expect("a state");
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    let (_, report) = farm.completed(&job.id).await;
    let Some(SplitReport::Parts(parts)) = &report.split else {
        panic!("{report:#?}")
    };
    let again = parts.iter().filter(|part| part.attempt > 1).count();
    assert!(again <= 2, "only what ran is made again: {parts:#?}");
    for number in &before.chunks {
        let part = parts.iter().find(|part| part.part == Part::Chunk(*number));
        assert_eq!(part.expect("a chunk").worker.as_str(), "a");
    }
    assert_eq!(
        Media::of(&job.output.path().expect("a file")).frames(),
        report.frames
    );
}

/// Makes a film with these arguments.
fn made(file: PathBuf, line: &str) -> PathBuf {
    let made = Command::new(paths::tool("ffmpeg"))
        .args("-v error -y".split(' ').chain(line.split_whitespace()))
        .arg(&file)
        .status();
    assert!(made.expect("ffmpeg runs").success(), "{line}");
    file
}

/// A transport stream of 12 s whose picture becomes smaller in the middle.
fn shrinking(folder: &Path) -> PathBuf {
    for (name, size, at) in [("large", "320x180", 0), ("small", "240x136", 6)] {
        let picture = format!("-f lavfi -i testsrc2=s={size}:r=25:d=6 -f lavfi -i sine=d=6");
        let encode = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 25 -c:a ac3";
        let line = format!("{picture} {encode} -output_ts_offset {at}");
        made(folder.join(format!("{name}.ts")), &line);
    }
    let list = folder.join("list");
    std::fs::write(&list, "file large.ts\nfile small.ts\n").expect("room");
    let both = format!("-f concat -i {} -c copy", list.display());
    made(folder.join("shrinking.ts"), &both)
}

/// A film of 12 s with a packet, behind its beginning, that gives no frame.
fn with_a_broken_packet(folder: &Path) -> PathBuf {
    let picture = "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -f lavfi -i sine=d=12";
    let encode = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -b:v 500k -c:a libopus";
    let whole = made(folder.join("whole.webm"), &format!("{picture} {encode}"));
    let broken = format!(
        "-i {} -c copy -bsf:v noise=amount=if(eq(n\\,210)\\,1\\,0)",
        whole.display()
    );
    made(folder.join("broken.webm"), &broken)
}

#[tokio::test]
async fn a_film_that_does_not_fit_its_plan_is_encoded_as_a_whole() {
    let farm = Farm::start().await;
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    let _b = farm.join(farm.worker("b").encoders("libx264")).await;
    for film in [
        shrinking(farm.folder()),
        with_a_broken_packet(farm.folder()),
    ] {
        let name = film.file_stem().expect("a name").to_string_lossy();
        let made = |split: Split| {
            let job = farm.job(&film, "libx264");
            let output = job.output.sibling(&format!("{name}-{split}.mkv"));
            lossless(job, output, split)
        };
        let (whole, split) = (made(Split::Off), made(Split::Every(1)));
        farm.enqueue(&whole).await;
        farm.completed(&whole.id).await;
        farm.enqueue(&split).await;
        let (run, report) = farm.completed(&split.id).await;
        let Some(SplitReport::Whole(why)) = &report.split else {
            panic!("{report:#?}")
        };
        assert!(why.starts_with("chunk "), "{why}");
        assert_eq!(run.spent(), 1, "{name}: {why}");
        let path = |job: &Job| job.output.path().expect("a file");
        assert_eq!(
            decoded(&path(&split)).await,
            decoded(&path(&whole)).await,
            "{name}"
        );
        poll::until("the pieces to be removed", async || {
            let is_forgotten = farm.view.plan(&split.id).await.ok()?.is_none();
            (is_forgotten && !pieces(&farm).exists()).then_some(())
        })
        .await;
        assert_eq!(farm.queued().await, 0);
    }
}
