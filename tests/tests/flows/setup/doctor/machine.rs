//! What a machine lacks that is to run jobs or to show the farm.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use harness::faults::disk::SmallDisk;
use harness::process::Ran;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use super::{Patient, finds, judged, says};

#[tokio::test]
async fn tools_encoders_and_room_that_are_missing_are_told() {
    let patient = Patient::new().await;
    let mut command = patient.command();
    command.env("FFPROBE", "/nowhere/ffprobe");
    finds(command, "no ffprobe", "ffmpeg", "ffprobe", "FFPROBE").await;

    let mut command = patient.command();
    command.args(["--encoders", "libx264,libnothing"]);
    let cure = "worker capabilities";
    finds(
        command,
        "an encoder that nobody has",
        "encoder",
        "does not have it",
        cure,
    )
    .await;
    let mut command = patient.command();
    command.args(["--encoders", "hevc_nvenc"]);
    finds(
        command,
        "an encoder without its device",
        "encoder",
        "",
        cure,
    )
    .await;

    let scratch = patient.farm.folder().join("small");
    if let Some(_disk) = SmallDisk::mount(&scratch, 1000) {
        let sound = patient.text();
        let small = format!("[worker]\nscratch = \"{}\"", scratch.display());
        patient.write(&sound.replace("[worker]", &small));
        let cure = "name another folder with `scratch`";
        patient
            .has("a small scratch disk", "room", "are free", cure)
            .await;
        patient.write(&sound);
    }
}

#[tokio::test]
async fn a_machine_that_cannot_confine_ffmpeg_is_told_its_cure() {
    let patient = Patient::new().await;
    let ran = confined_by_little(patient.command());
    let cure = "WORKER_SANDBOX=best-effort";
    judged(&ran, "no sandbox", "sandbox", "Landlock", cure);
}

/// Runs a program without Landlock and namespaces, as on an old kernel.
fn confined_by_little(mut command: Command) -> Ran {
    let program = move || {
        let unknown = SeccompAction::Errno(38);
        let processor = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_unshare];
        let calls: BTreeMap<_, _> = calls.map(|call| (call, Vec::new())).into();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, unknown, processor);
        let filter: BpfProgram = filter.unwrap().try_into().unwrap();
        // Of this thread and of what it starts.
        apply_filter(&filter).unwrap();
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    };
    std::thread::spawn(program).join().unwrap()
}

#[tokio::test]
async fn the_monitor_is_told_to_run_to_be_missing_or_to_lack_its_port() {
    let patient = Patient::new().await;
    let sound = patient.text();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = format!("[monitor]\nlisten = \"{address}\"");
    patient.write(&sound.replace("[monitor]", &listen));
    let cure = "set `listen` in [monitor]";
    patient
        .has("a port in use", "monitor", "another program", cure)
        .await;
    drop(taken);
    says(patient.command(), "monitor", "doubtful", "none runs here").await;
    let mut command = harness::programs::command("monitor", &patient.farm.home());
    command.args(["--log-level", "error"]);
    let log = patient.farm.home().join("monitor.log");
    let _monitor = harness::process::Daemon::start("monitor", command, &log);
    harness::poll::until("the monitor to listen", async || {
        tokio::net::TcpStream::connect(address).await.ok()
    })
    .await;
    says(patient.command(), "monitor", "fine", "it answers").await;
}
