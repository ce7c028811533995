//! Every kind of clip with every kind of encoder, on two different workers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::job::run::{Run, RunState};
use harness::farm::Farm;
use harness::faults::stand_in::StandIn;
use harness::outside::media::{Media, Stream};
use harness::servers::store::{BUCKET, TestStore};
use harness::{outside, paths};

/// One clip for each difference between media.
const CLIPS: [&str; 14] = [
    "av1.mkv",
    "cover-chapters.mkv",
    "film-rate.mp4",
    "h264-faststart.mp4",
    "h264.mp4",
    "hevc.mkv",
    "mov-text.mp4",
    "mpeg2.ts",
    "odd-size.webm",
    "rotated.mp4",
    "ten-bit.mkv",
    "tracks.mkv",
    "variable-rate.mp4",
    "vp9.webm",
];

/// Clips that are read over the network in different ways: with the index at the start or at the end, with many tracks,
/// and as streams.
const REMOTE_CLIPS: [&str; 6] = [
    "h264.mp4",
    "h264-faststart.mp4",
    "tracks.mkv",
    "mpeg2.ts",
    "vp9.webm",
    "ten-bit.mkv",
];

/// Encoders, with a quick preset of each and the codec that it makes.
const ENCODERS: [(&str, &str, &str); 5] = [
    ("libx264", "ultrafast", "h264"),
    ("libx265", "ultrafast", "hevc"),
    ("libsvtav1", "12", "av1"),
    ("libvpx-vp9", "8", "vp9"),
    ("hevc_nvenc", "p1", "hevc"),
];

/// The encoders that each of the two workers may serve. Only libx264 is served by both.
const WORKERS: [(&str, &str); 2] = [
    ("cpu", "libx264,libx265,libsvtav1"),
    ("gpu", "libx264,libvpx-vp9,hevc_nvenc"),
];

fn sources(farm: &Farm) -> PathBuf {
    farm.folder_of("in", &CLIPS.map(paths::media))
}

fn nvidia(farm: &Farm) -> StandIn {
    StandIn::new(&farm.folder().join("nvidia")).with_encoder("hevc_nvenc", "libx265")
}

/// The output keeps every frame and every track of the input.
fn check_output(before: &Media, output: &Path, codec: &str) {
    let after = Media::of(output);
    let name = output.display();
    assert_eq!(after.film().codec, codec, "{name}");
    assert_eq!(after.frames(), before.frames(), "{name}");
    assert!((after.duration() - before.duration()).abs() < 0.3, "{name}");
    let sounds = |media: &Media| -> Vec<(String, u32, Option<String>)> {
        let sound = |sound: &Stream| {
            // Some containers write "undefined" for a language that others leave out.
            let language = sound.tag("language").filter(|name| *name != "und");
            (
                sound.codec.clone(),
                sound.channels,
                language.map(str::to_owned),
            )
        };
        media.of_kind("audio").map(sound).collect()
    };
    assert_eq!(sounds(&after), sounds(before), "{name}");
    let count = |media: &Media| media.of_kind("subtitle").count();
    assert_eq!(count(&after), count(before), "{name}");
}

/// Every job completed, with the encoder that it asked for, on a worker that has the encoder.
fn check_runs(runs: &[Run], expected: usize) {
    assert_eq!(runs.len(), expected);
    let may: BTreeMap<&str, BTreeSet<&str>> = WORKERS
        .iter()
        .map(|(name, encoders)| (*name, encoders.split(',').collect()))
        .collect();
    let mut worked = BTreeSet::new();
    for run in runs {
        let RunState::Completed { report } = &run.state else {
            panic!("{run:#?}")
        };
        let encoder = report.encoder.as_ref().expect("it was encoded").as_str();
        assert_eq!(
            run.queue.to_string(),
            encoder,
            "another encoder than asked for"
        );
        assert!(may[report.worker.as_str()].contains(encoder), "{report:#?}");
        worked.insert(report.worker.as_str());
    }
    assert_eq!(worked.len(), WORKERS.len(), "both workers had work");
}

#[tokio::test]
async fn every_clip_by_every_encoder_from_disk_to_disk() {
    let farm = Farm::start().await;
    let nvidia = nvidia(&farm);
    let mut workers = Vec::new();
    for (name, encoders) in WORKERS {
        let setup = farm.worker(name).encoders(encoders);
        let setup = if name == "gpu" {
            setup.ffmpeg(&nvidia)
        } else {
            setup
        };
        workers.push(setup.spawn());
    }
    for worker in &mut workers {
        farm.ready(worker).await;
    }
    let sources = sources(&farm);
    let before = outside::files(&sources);

    let enqueue = async |(encoder, preset, _): (&'static str, &'static str, &'static str)| {
        let mut command = farm.producer_command();
        command
            .arg("enqueue")
            .arg(&sources)
            .arg("-o")
            .arg(farm.out().join(encoder));
        command.args(["--encoder", encoder, "--encoder-preset", preset, "--wait"]);
        harness::process::run_within(3 * harness::poll::PATIENCE, command).await
    };
    for ran in futures::future::join_all(ENCODERS.map(enqueue)).await {
        ran.succeeded();
    }

    check_runs(
        &farm.view.runs().await.unwrap(),
        CLIPS.len() * ENCODERS.len(),
    );
    let inputs = CLIPS.map(|clip| (clip, Media::of(&sources.join(clip))));
    for (encoder, _, codec) in ENCODERS {
        for (clip, input) in &inputs {
            let output = outputs_name(clip);
            check_output(input, &farm.out().join(encoder).join(output), codec);
        }
        assert_eq!(outside::names(&farm.out().join(encoder)).len(), CLIPS.len());
    }
    assert_eq!(
        outside::files(&sources),
        before,
        "sources are never touched"
    );
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
    assert_eq!(farm.queued().await, 0);
}

/// The names of clips that differ only in their extension keep the extension.
fn outputs_name(clip: &str) -> PathBuf {
    Path::new(clip).with_extension("mkv")
}

#[tokio::test]
async fn from_bucket_to_bucket_in_place_and_by_way_of_scratch() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let nvidia = nvidia(&farm);
    let mut workers = Vec::new();
    for (name, encoders) in WORKERS {
        let setup = farm
            .worker(name)
            .encoders(encoders)
            .environment(store.environment());
        // One worker reads in place, the other downloads first.
        let setup = if name == "gpu" {
            setup.ffmpeg(&nvidia).option("--read", "download")
        } else {
            setup
        };
        workers.push(setup.spawn());
    }
    for worker in &mut workers {
        farm.ready(worker).await;
    }
    for clip in REMOTE_CLIPS {
        store
            .put(&paths::media(clip), &format!("films/{clip}"))
            .await;
    }

    let chosen = [ENCODERS[1], ENCODERS[4]];
    let enqueue = async |(encoder, preset, _): (&'static str, &'static str, &'static str)| {
        let mut command = farm.producer_command();
        command.envs(store.environment());
        command.args(["enqueue", &format!("s3://{BUCKET}/films")]);
        command.args(["-o", &format!("s3://{BUCKET}/out/{encoder}")]);
        command.args(["--encoder", encoder, "--encoder-preset", preset, "--wait"]);
        harness::process::run_within(3 * harness::poll::PATIENCE, command).await
    };
    for ran in futures::future::join_all(chosen.map(enqueue)).await {
        ran.succeeded();
    }

    check_runs(
        &farm.view.runs().await.unwrap(),
        REMOTE_CLIPS.len() * chosen.len(),
    );
    let fetched = farm.folder().join("fetched");
    std::fs::create_dir(&fetched).unwrap();
    for (encoder, _, codec) in chosen {
        for clip in REMOTE_CLIPS {
            let name = outputs_name(clip);
            let key = format!("out/{encoder}/{}", name.display());
            let copy = fetched.join(&name);
            std::fs::write(
                &copy,
                store.get(&key).await.unwrap_or_else(|| panic!("{key}")),
            )
            .unwrap();
            check_output(&Media::of(&paths::media(clip)), &copy, codec);
        }
    }
    for clip in REMOTE_CLIPS {
        let now = store.get(&format!("films/{clip}")).await.unwrap();
        assert_eq!(now, std::fs::read(paths::media(clip)).unwrap(), "{clip}");
    }
    assert_eq!(
        store.keys().await.len(),
        REMOTE_CLIPS.len() * (1 + chosen.len())
    );
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}
