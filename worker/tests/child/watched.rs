//! A tool that runs under supervision to its end.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use common::job::failure::{Doubt, Fault};
use worker::ffmpeg::run::fault::Origin;
use worker::ffmpeg::run::runner::Sign;

use crate::{StandIn, gone};

#[tokio::test]
async fn a_successful_run_returns_its_last_figures() {
    let stand_in = StandIn::new(
        "echo frame=7; echo progress=continue; echo frame=9; echo progress=end; echo careful >&2",
    );
    let mut seen = Vec::new();
    let mut said = Vec::new();
    let finished = stand_in
        .runner
        .ffmpeg(&[], Origin::Local, |sign| match sign {
            Sign::Progress(now) => seen.push(now.frame),
            Sign::Log(line) => said.push(line.to_owned()),
        })
        .await;
    let finished = finished.expect("ends well");
    assert_eq!(seen, [7, 9]);
    assert_eq!(said, ["careful"]);
    assert_eq!(finished.progress.frame, 9);
    assert!(finished.complaints.is_empty());
}

#[test]
fn the_command_line_can_be_pasted_into_a_shell_and_opens_nothing() {
    let stand_in = StandIn::new("true");
    let arguments = [
        "-i",
        "http://127.0.0.1:4021/00ff",
        "file:it's here.mkv",
        "-crf",
        "24",
        "",
    ]
    .map(OsString::from);
    let line = stand_in.runner.command_line(&arguments);
    let read = Command::new("sh")
        .args(["-c", &format!("printf '%s\\n' {line}")])
        .output()
        .expect("a shell");
    let words = String::from_utf8(read.stdout).expect("text");
    let end = "-stats_period\n0.5\n-i\ninput\nfile:it's here.mkv\n-crf\n24\n\n";
    assert!(words.ends_with(end), "{line} is {words}");
}

#[tokio::test]
async fn rubbish_on_both_pipes_is_harmless() {
    let stand_in = StandIn::new(
        "head -c 3000000 /dev/urandom; head -c 3000000 /dev/urandom >&2; echo; echo frame=1; echo progress=end",
    );
    let finished = stand_in.run().await.expect("ends well");
    assert_eq!(finished.progress.frame, 1);
    assert!(finished.complaints.words().len() <= 40);
}

#[tokio::test]
async fn an_answer_without_end_is_the_inputs_fault_and_is_cut_off() {
    let stand_in = StandIn::new("while :; do head -c 1000000 /dev/zero; done");
    let answer = stand_in.runner.ffprobe(&[], Origin::Local).await;
    let failure = answer.expect_err("no end");
    assert_eq!((failure.fault, failure.doubt), (Fault::Input, None));
    assert!(failure.message.contains("longer than 16 MiB"), "{failure}");
}

#[tokio::test]
async fn stopping_asks_first_then_kills_and_takes_the_grandchildren_along() {
    let stand_in = StandIn::new(
        "trap 'echo asked > asked' TERM; sleep 600 & echo $! > child; echo $$ > parent; while :; do sleep 0.1; done",
    );
    let mut stand_in = stand_in;
    stand_in.runner.limits.grace = Duration::from_millis(500);
    let stop = stand_in.runner.stop.clone();
    let (ended, (parent, child)) = tokio::join!(stand_in.run(), async {
        let pids = (stand_in.pid("parent").await, stand_in.pid("child").await);
        stop.cancel();
        pids
    });
    assert_eq!(ended.expect_err("stopped").fault, Fault::Passing);
    assert!(stand_in.scratch("asked").exists());
    gone(parent).await;
    gone(child).await;
}

#[tokio::test]
async fn a_grandchild_that_holds_the_pipes_does_not_hold_the_worker() {
    let stand_in = StandIn::new("sleep 600 & echo $! > child; echo frame=3; echo progress=end");
    let started = Instant::now();
    let finished = stand_in.run().await.expect("ends well");
    assert_eq!(finished.progress.frame, 3);
    assert!(started.elapsed() < Duration::from_secs(5));
    gone(stand_in.pid("child").await).await;
}

#[tokio::test]
async fn a_run_whose_caller_is_gone_leaves_no_process() {
    let stand_in = StandIn::new("sleep 600 & echo $! > child; echo $$ > parent; wait");
    let pids = tokio::select! {
        ended = stand_in.run() => panic!("{ended:?}"),
        pids = async { (stand_in.pid("parent").await, stand_in.pid("child").await) } => pids,
    };
    gone(pids.0).await;
    gone(pids.1).await;
}

#[tokio::test]
async fn reports_without_progress_are_a_stall() {
    let mut stand_in =
        StandIn::new("while :; do echo frame=5; echo progress=continue; sleep 0.05; done");
    stand_in.runner.limits.stall = Duration::from_millis(400);
    let failure = stand_in.run().await.expect_err("stalls");
    assert_eq!(failure.fault, Fault::Worker);
    assert_eq!(
        failure.message,
        "ffmpeg made no progress for 400ms and was killed"
    );
}

#[tokio::test]
async fn writing_counts_as_progress_although_nothing_is_reported() {
    // In total longer than the limit, but far below the limit between two writes.
    let mut stand_in =
        StandIn::new("i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo $i > out; sleep 0.1; done");
    stand_in.runner.limits.stall = Duration::from_secs(3);
    stand_in.run().await.expect("ends well");
}

#[tokio::test]
async fn the_fault_of_a_crash_is_doubtful_and_that_of_a_kill_is_the_workers() {
    let killed = |signal: &str| {
        let stand_in = StandIn::new(&format!("kill -{signal} $$"));
        async move { stand_in.run().await.expect_err("killed") }
    };
    let crashed = killed("SEGV").await;
    assert_eq!(crashed.doubt, Some(Doubt::Repetition));
    assert_eq!(
        crashed.message,
        "ffmpeg crashed over this file (signal 11: segmentation fault)"
    );
    let killed = killed("KILL").await;
    assert_eq!((killed.fault, killed.doubt), (Fault::Worker, None));
    assert_eq!(killed.message, "ffmpeg was killed by signal 9");
}

#[tokio::test]
async fn a_program_that_cannot_start_is_the_workers_fault() {
    let stand_in = StandIn::new("");
    std::fs::remove_file(stand_in.folder.path().join("ffmpeg")).expect("removed");
    let failure = stand_in.run().await.expect_err("no program");
    assert_eq!(failure.fault, Fault::Worker, "{failure:?}");
}
