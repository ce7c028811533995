//! This machine as a worker: the worker program says it of itself.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::recipe::encoder::Encoder;
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
/// Where a worker without a word of the farm's file makes its files.
const SCRATCH: &str = "WORKER_SCRATCH";
/// What a worker says that may not start without a sandbox.
const UNCONFINED: &str = "cannot confine ffmpeg";
/// How a complaint begins.
const ERROR: &str = "error: ";

/// What is known of the machine before its worker is asked.
pub(super) struct Machine<'a> {
    /// The worker program that a person has named.
    pub program: Option<&'a Path>,
    /// Encoders that it is to have.
    pub encoders: &'a [Encoder],
    /// The check that has found already what would stop a worker.
    pub cause: Option<&'static str>,
}

pub(super) async fn check(settings: &Settings, machine: &Machine<'_>) -> Vec<Finding> {
    if is_for_others(settings) {
        return vec![Finding::fine(
            "worker",
            "this machine",
            "its file has no user for a worker: no jobs run here; `producer setup add worker NAME` prints a line",
        )];
    }
    let Ok(program) = worker::find(machine.program) else {
        return vec![Finding::doubtful(
            "worker",
            "this machine",
            "the program `worker` is not here",
            "that is as it should be where no jobs are to run; else install it beside `producer`",
        )];
    };
    let mut findings = Vec::new();
    let names = match machine.encoders {
        [] => vec![ENCODER.to_owned()],
        named => named.iter().map(ToString::to_string).collect(),
    };
    let mut command = Command::new(&program);
    command.args(["capabilities", "--json", "--encoders", &names.join(",")]);
    // The environment goes before the farm's file, as for the worker itself.
    if let (Some(scratch), None) = (&settings.file().worker.scratch, std::env::var_os(SCRATCH)) {
        command.arg("--scratch").arg(scratch);
    }
    let mut cause = machine.cause;
    let told = ask(command).await;
    match told.as_deref().map(serde_json::from_str::<Value>) {
        Ok(Ok(card)) => findings.extend(of_card(&card, &names)),
        Ok(Err(_)) => {}
        Err(why) => {
            cause = Some("ffmpeg");
            findings.push(Finding::wrong(
                "ffmpeg",
                program.display(),
                why,
                "install ffmpeg with ffprobe, or name them with FFMPEG and FFPROBE, or --ffmpeg and --ffprobe of the worker",
            ));
        }
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
            "its settings, places, sandbox and user can be used",
        ),
        Err(why) if why.contains(UNCONFINED) => Finding::wrong(
            "sandbox",
            program.display(),
            why,
            "update the kernel, or let the container have Landlock and seccomp; where only trusted files are encoded, set \
             WORKER_SANDBOX=best-effort",
        ),
        Err(why) if cause.is_some_and(|cause| follows(&why, cause)) => {
            let cause = cause.unwrap_or_default();
            Finding::doubtful(
                "worker",
                program.display(),
                format!("it cannot start: that follows from the trouble with the {cause} above"),
                "mend that first, and run `producer doctor` once more",
            )
        }
        Err(why) => Finding::wrong(
            "worker",
            program.display(),
            why,
            "change [worker] in the farm file, or the options of this worker, as it says",
        ),
    });
    findings
}

/// Whether this machine has keys, and none for a worker.
fn is_for_others(settings: &Settings) -> bool {
    let file = settings.file();
    let is_monitor = file.monitor.nkey.is_some() && file.worker.nkey.is_none();
    is_monitor && !settings.has_own_user()
}

/// Whether a worker complains of what another check has found.
fn follows(why: &str, cause: &str) -> bool {
    let words: &[&str] = match cause {
        "broker" => &["NATS server", "broker"],
        "ffmpeg" => &["ffmpeg", "ffprobe"],
        _ => return true,
    };
    words.iter().any(|word| why.contains(word))
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
    let lines = said.lines().skip_while(|line| !line.starts_with(ERROR));
    let lines = lines.map(|line| line.strip_prefix(ERROR).unwrap_or(line).trim());
    let complaint = lines.collect::<Vec<_>>().join("; ");
    Err(match complaint.is_empty() {
        true => format!("it ends with {}", output.status),
        false => complaint,
    })
}

/// ffmpeg, its encoders, and room for files in the making.
fn of_card(card: &Value, encoders: &[String]) -> Vec<Finding> {
    let version = card["ffmpeg"]["version"]
        .as_str()
        .unwrap_or("of unknown version");
    let mut findings = vec![Finding::fine("ffmpeg", version, "it runs")];
    for name in encoders {
        let verdict = &card["encoders"][name];
        let cure = "install an ffmpeg that has it and, for a graphics card, its driver; `worker capabilities` lists what works here";
        findings.push(match (verdict["verdict"].as_str(), &verdict["reason"]) {
            (Some("proved"), _) => Finding::fine("encoder", name, "it has encoded a test"),
            (Some(_), reason) => {
                let why = reason.as_str().unwrap_or("it says not why");
                Finding::wrong(
                    "encoder",
                    name,
                    format!("its test encode fails: {why}"),
                    cure,
                )
            }
            (None, _) => Finding::wrong("encoder", name, "this ffmpeg does not have it", cure),
        });
    }
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
