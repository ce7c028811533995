//! This machine as a worker: the worker program says it of itself.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::finding::Finding;
use crate::cli::settings::Settings;
use crate::display::units;
use crate::embedded::worker;

/// How long the worker may take to try itself.
const PATIENCE: Duration = Duration::from_secs(120);
/// Less room than this is soon full.
const LITTLE: u64 = 10 << 30;
/// With less than this, no job starts.
const NO_ROOM: u64 = 1 << 30;
/// Quick to prove, and in every ffmpeg.
const ENCODER: &str = "mpeg4";

pub(super) async fn check(settings: &Settings, named: Option<&Path>) -> Vec<Finding> {
    let Ok(program) = worker::find(named) else {
        return vec![Finding::doubtful(
            "worker",
            "this machine",
            "the program `worker` is not here",
            "that is as it should be where no jobs are to run; else install it beside `producer`",
        )];
    };
    let mut findings = Vec::new();
    let mut command = Command::new(&program);
    command.args(["capabilities", "--json", "--encoders", ENCODER]);
    let told = ask(command).await;
    match told.as_deref().map(serde_json::from_str::<Value>) {
        Ok(Ok(card)) => findings.extend(of_card(&card)),
        Ok(Err(_)) => {}
        Err(why) => findings.push(Finding::wrong(
            "ffmpeg",
            program.display(),
            why,
            "install ffmpeg with ffprobe, or name it with --ffmpeg or FFMPEG",
        )),
    }
    let mut command = Command::new(&program);
    command.args(["check-config", "--log-level", "error"]);
    if let Some(file) = &settings.farm {
        command.arg("--farm").arg(file);
    }
    findings.push(match ask(command).await {
        Ok(_) => Finding::fine(
            "worker",
            program.display(),
            "its settings, places and user can be used",
        ),
        Err(why) => Finding::wrong(
            "worker",
            program.display(),
            why,
            "change [worker] in the farm file, or the options of this worker, as it says",
        ),
    });
    findings
}

/// What a worker program prints; what it complains of, if it fails.
async fn ask(mut command: Command) -> Result<String, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(output) => output.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("it says nothing for {} s", PATIENCE.as_secs())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
    Err(errors.collect::<Vec<_>>().join("; "))
}

/// ffmpeg, and room for files in the making.
fn of_card(card: &Value) -> Vec<Finding> {
    let version = card["ffmpeg"]["version"]
        .as_str()
        .unwrap_or("of unknown version");
    let mut findings = vec![Finding::fine(
        "ffmpeg",
        version,
        "it runs, and has encoded a test",
    )];
    if let Some(free) = card["load"]["scratch_free"].as_u64() {
        let found = format!("{} are free for files in the making", units::bytes(free));
        let about = "scratch";
        let cure = "make room, or name another folder with `scratch` in [worker] of the farm file";
        findings.push(match free {
            free if free < NO_ROOM => Finding::wrong("room", about, found, cure),
            free if free < LITTLE => Finding::doubtful("room", about, found, cure),
            _ => Finding::fine("room", about, found),
        });
    }
    findings
}
