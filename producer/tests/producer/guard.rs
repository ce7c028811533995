//! Guards: programs that the producer started end with the producer.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::farm::Farm;

/// How long a program may take to end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A guard over a shell script. The script makes a file `ready` once it runs.
fn guard(farm: &Farm, name: &str, options: &[&str], script: &str) -> Child {
    let ready = farm.folder.path().join(format!("{name}.ready"));
    let script = format!("{script}\necho > {name}.ready\nwhile :; do sleep 0.05; done");
    let guard = Command::new(env!("CARGO_BIN_EXE_producer"))
        .current_dir(farm.folder.path())
        .arg("guard")
        .args(options)
        .args(["--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the program to run", || ready.exists());
    guard
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn has_ended(guard: &mut Child) -> bool {
    guard.try_wait().unwrap().is_some()
}

#[test]
fn the_program_is_asked_to_stop_when_the_pipe_closes() {
    let farm = Farm::without_broker();
    let mut guard = guard(
        &farm,
        "polite",
        &[],
        "trap 'echo > said.goodbye; exit 0' TERM",
    );
    assert!(!has_ended(&mut guard));
    drop(guard.stdin.take());
    assert_eq!(guard.wait().unwrap().code(), Some(0));
    assert!(farm.folder.path().join("said.goodbye").exists());
}

#[test]
fn a_program_that_will_not_stop_is_killed_after_its_grace() {
    let farm = Farm::without_broker();
    let mut guard = guard(&farm, "stubborn", &["--grace", "100ms"], "trap '' TERM");
    drop(guard.stdin.take());
    until("the kill", || has_ended(&mut guard));
}

#[test]
fn a_broker_outlives_the_worker_that_needs_it() {
    let farm = Farm::without_broker();
    let slow = "trap 'sleep 0.5; echo > worker.gone; exit 0' TERM";
    let late = "trap 'test -e worker.gone && echo > in.order; exit 0' TERM";
    let mut worker = guard(&farm, "worker", &["--lock", "worker.lock"], slow);
    let mut broker = guard(&farm, "broker", &["--after", "worker.lock"], late);
    // Both at once, as when the producer is killed.
    drop((worker.stdin.take(), broker.stdin.take()));
    until("both to end", || {
        has_ended(&mut worker) && has_ended(&mut broker)
    });
    assert!(farm.folder.path().join("in.order").exists());
}

#[test]
fn a_lock_is_waited_for() {
    let farm = Farm::without_broker();
    let slow = "trap 'sleep 0.5; echo > first.gone; exit 0' TERM";
    let mut first = guard(&farm, "first", &["--lock", "lock"], slow);
    drop(first.stdin.take());
    let late = "test -e first.gone && echo > in.order";
    let mut second = guard(&farm, "second", &["--lock", "lock"], late);
    assert!(farm.folder.path().join("in.order").exists());
    drop(second.stdin.take());
    until("both to end", || {
        has_ended(&mut first) && has_ended(&mut second)
    });
}
