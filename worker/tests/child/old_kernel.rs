//! A worker on a kernel that lacks a part of the sandbox.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// Runs a program without Landlock and namespaces, as on an old kernel or in a container.
fn confined_by_little(mut command: Command) -> Output {
    let program = move || {
        let unknown = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        let processor = TargetArch::try_from(std::env::consts::ARCH).expect("a known processor");
        let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_unshare];
        let calls: BTreeMap<_, _> = calls.map(|call| (call, Vec::new())).into();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, unknown, processor);
        let filter: BpfProgram = filter.expect("sound").try_into().expect("short");
        // Of this thread and of what it starts.
        apply_filter(&filter).expect("filters");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        // A supervisor whose input ends kills its tool.
        let _open = child.stdin.take();
        child.wait_with_output().expect("runs")
    };
    std::thread::spawn(program).join().expect("no panic")
}

fn check_config(options: &[&str], folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command.args(["check-config", "--nats", "nats://127.0.0.1:1"]);
    command.arg("--scratch").arg(folder).args(options);
    command
}

#[test]
fn a_worker_refuses_to_start_without_landlock_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = confined_by_little(check_config(&[], folder.path()));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for words in ["Landlock", "5.13", "6.7", "--sandbox best-effort"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let options = ["--sandbox", "best-effort"];
    let started = confined_by_little(check_config(&options, folder.path()));
    let said = String::from_utf8_lossy(&started.stdout);
    let level = "sandbox  partial: files and network not confined";
    assert!(said.contains(level), "{said}");
}

#[test]
fn a_worker_with_all_of_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = check_config(&[], folder.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("sandbox  full"), "{said}");
}

#[test]
fn a_tool_does_not_run_where_a_part_that_is_required_fails() {
    let tool = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command
            .arg("sandbox")
            .args(options)
            .args(["--", "/bin/echo", "ran"]);
        confined_by_little(command)
    };
    let refused = tool(&["--required"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(
        refused.status.code(),
        Some(i32::from(worker::sandbox::FAILED))
    );
    assert!(
        said.contains("the files and network of this tool"),
        "{said}"
    );
    assert!(refused.stdout.is_empty());
    assert_eq!(tool(&[]).stdout, b"ran\n");
}
