//! Twenty short clips on the farm, beside the same commands run by `xargs -P`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::job::Job;
use common::recipe::Recipe;
use futures::StreamExt;
use harness::farm::{Farm, recipe};
use harness::{outside, paths, progress};

use crate::figure::{Figure, median};

const CLIPS: usize = 20;
const SLOTS: usize = 2;
const ROUNDS: usize = 3;
const ENCODERS: [&str; 2] = ["libx264", "libx265"];

/// The commands that a worker ran for one job, in order.
struct Recorded {
    commands: Vec<Vec<String>>,
    input: String,
    scratch: String,
}

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders(&ENCODERS.join(","));
    let _worker = farm
        .join(setup.option("--max-jobs", SLOTS.to_string()))
        .await;
    let clips = clips(farm.folder());

    let mut recorded = Vec::new();
    for encoder in ENCODERS {
        recorded.push(record(&farm, encoder).await);
    }
    let encodes = scripts(&farm, "encodes", &clips, &recorded, is_encode);
    let all = scripts(&farm, "all", &clips, &recorded, |_| true);

    let (mut by_farm, mut by_xargs, mut by_xargs_checked) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        progress::phase(format!("encodes: round {} of {ROUNDS}", round + 1));
        by_farm.push(farm_run(&farm, &clips, round).await);
        by_xargs.push(xargs(&farm, &encodes));
        by_xargs_checked.push(xargs(&farm, &all));
    }
    let (farm_time, plain, checked) = (
        median(&by_farm),
        median(&by_xargs),
        median(&by_xargs_checked),
    );
    let (same, alone) = (farm_time / checked, farm_time / plain);
    vec![
        Figure {
            what: "20 clips: farm / the same ffmpeg and ffprobe commands by xargs -P 2, wall time",
            measured: format!("{same:.2} ({farm_time:.1} s / {checked:.1} s)"),
            goal: "≤ 1.05".to_owned(),
            reached: Some(same <= 1.05),
        },
        Figure {
            what: "20 clips: farm / its encodes alone, unverified, by xargs -P 2",
            measured: format!("{alone:.2} ({farm_time:.1} s / {plain:.1} s)"),
            goal: String::new(),
            reached: None,
        },
    ]
}

/// The folder of an attempt into which its encode writes.
const WORK: &str = "work";

/// Clips of real footage, each in a file of its own.
fn clips(folder: &Path) -> Vec<PathBuf> {
    let source = paths::clip("bigbuckbunny.mp4");
    let folder = folder.join("clips");
    std::fs::create_dir_all(&folder).expect("there is room");
    let clip = |number: usize| {
        let copy = folder.join(format!("{number}.mp4"));
        std::fs::copy(&source, &copy).expect("there is room");
        copy
    };
    (0..CLIPS).map(clip).collect()
}

fn quick(encoder: &str) -> Recipe {
    let edited = recipe(encoder).edit(|draft| {
        if let common::recipe::Video::Encode(video) = &mut draft.video
            && encoder == "libx264"
        {
            video.preset = Some("veryfast".parse().expect("a word"));
        }
    });
    edited.expect("a sound recipe")
}

fn job(farm: &Farm, input: &Path, encoder: &str, folder: &str) -> Job {
    let job = farm.job(input, encoder);
    let name = job.output.name();
    let folder = farm.out().join(folder);
    let output = common::names::location::Location::file(&folder.join(name)).expect("absolute");
    Job::new(job.batch, job.input, output, quick(encoder), None)
}

async fn farm_run(farm: &Farm, clips: &[PathBuf], round: usize) -> f64 {
    let jobs: Vec<Job> = clips
        .iter()
        .zip(ENCODERS.iter().cycle())
        .map(|(clip, encoder)| job(farm, clip, encoder, &format!("round-{round}")))
        .collect();
    let mut ended = farm
        .view
        .client()
        .subscribe("events.*.completed")
        .await
        .expect("connected");
    let started = Instant::now();
    for job in &jobs {
        farm.enqueue(job).await;
    }
    for _ in &jobs {
        let next = tokio::time::timeout(Duration::from_secs(300), ended.next());
        next.await.expect("an end").expect("connected");
    }
    started.elapsed().as_secs_f64()
}

/// Runs one job on the farm, and records every command that the worker runs.
async fn record(farm: &Farm, encoder: &str) -> Recorded {
    let input = farm.folder().join(format!("{encoder}.mp4"));
    std::fs::copy(paths::clip("bigbuckbunny.mp4"), &input).expect("there is room");
    let job = job(farm, &input, encoder, "recorded");
    farm.enqueue(&job).await;
    let mut seen: BTreeMap<(u64, u32), Vec<String>> = BTreeMap::new();
    while farm
        .run(&job.id)
        .await
        .is_none_or(|run| !run.state.is_terminal())
    {
        for process in outside::encodes_in(&farm.scratch()) {
            seen.entry((process.started, process.id))
                .or_insert(process.arguments);
        }
    }
    farm.completed(&job.id).await;
    let commands: Vec<Vec<String>> = seen.into_values().collect();
    assert!(
        commands.iter().any(|command| is_check(command)),
        "the check was missed: {commands:#?}"
    );
    Recorded {
        commands,
        input: input.display().to_string(),
        scratch: farm
            .scratch_of("w")
            .join(format!("{}-1", job.id))
            .display()
            .to_string(),
    }
}

fn is_encode(command: &[String]) -> bool {
    command.iter().any(|argument| argument == "-progress") && !is_check(command)
}

/// Whether a command only decodes.
fn is_check(command: &[String]) -> bool {
    command.iter().any(|argument| argument == "null")
}

/// One shell script for each clip, with the recorded commands on it.
fn scripts(
    farm: &Farm,
    name: &str,
    clips: &[PathBuf],
    recorded: &[Recorded],
    wanted: impl Fn(&[String]) -> bool,
) -> Vec<PathBuf> {
    let folder = farm.folder().join(name);
    std::fs::create_dir_all(&folder).expect("there is room");
    let script = |(number, (clip, recorded)): (usize, (&PathBuf, &Recorded))| {
        let scratch = folder.join(number.to_string());
        std::fs::create_dir_all(scratch.join(WORK)).expect("there is room");
        let place = |argument: &String| {
            let argument = argument
                .replace(&recorded.input, &clip.display().to_string())
                .replace(&recorded.scratch, &scratch.display().to_string());
            format!("'{argument}'")
        };
        let mut text = "set -e\n".to_owned();
        let mut is_encoded = false;
        for command in recorded.commands.iter().filter(|command| wanted(command)) {
            let line: Vec<String> = command.iter().map(place).collect();
            // The commands of the publish gate run side by side, as on the farm.
            let side = if is_encoded { " &" } else { "" };
            text.push_str(&format!(
                "{} >/dev/null 2>&1 </dev/null{side}\n",
                line.join(" ")
            ));
            if is_encode(command) {
                is_encoded = true;
                // The checks read the output where no tool may write.
                let folder = scratch.display();
                text.push_str(&format!("mv '{folder}/{WORK}'/* '{folder}'\n"));
            }
        }
        text.push_str("wait\n");
        let script = folder.join(format!("{number}.sh"));
        std::fs::write(&script, text).expect("there is room");
        script
    };
    clips
        .iter()
        .zip(recorded.iter().cycle())
        .enumerate()
        .map(script)
        .collect()
}

fn xargs(farm: &Farm, scripts: &[PathBuf]) -> f64 {
    let list = farm.folder().join("list");
    let lines: Vec<String> = scripts
        .iter()
        .map(|script| script.display().to_string())
        .collect();
    std::fs::write(&list, lines.join("\n")).expect("there is room");
    let started = Instant::now();
    let status = Command::new("xargs")
        .args(["-P", &SLOTS.to_string(), "-n", "1", "-a"])
        .arg(&list)
        .arg("sh")
        .env("SVT_LOG", "1")
        .status()
        .expect("xargs runs");
    assert!(status.success(), "{status}");
    started.elapsed().as_secs_f64()
}
