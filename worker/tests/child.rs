//! How children of the worker live and end: stand-ins for ffmpeg that hang,
//! babble, leave children of their own behind, or reach for what is not theirs.
#![cfg(unix)]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::job::failure::{Doubt, Failure, Fault};
use tokio_util::sync::CancellationToken;
use worker::ffmpeg::Tools;
use worker::ffmpeg::run::Limits;
use worker::ffmpeg::run::fault::Origin;
use worker::ffmpeg::run::runner::{Finished, Runner, Sign};
use worker::sandbox::Sandbox;

/// A shell script in ffmpeg's place, run confined in a scratch folder.
struct StandIn {
    folder: tempfile::TempDir,
    scratch: tempfile::TempDir,
    runner: Runner,
}

impl StandIn {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("ffmpeg");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("allowed");
        let runner = Runner {
            tools: Tools {
                ffmpeg: program.clone(),
                ffprobe: program,
            },
            sandbox: Sandbox {
                program: Some(env!("CARGO_BIN_EXE_worker").into()),
                read: Vec::new(),
                home: scratch.path().to_owned(),
                writes: true,
                network: false,
            },
            limits: Limits {
                stall: Duration::from_secs(30),
                grace: Duration::from_secs(2),
            },
            stop: CancellationToken::new(),
        };
        Self {
            folder,
            scratch,
            runner,
        }
    }

    async fn run(&self) -> Result<Finished, Failure> {
        self.runner.ffmpeg(&[], Origin::Local, |_| {}).await
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Waits until a script has written a process id there.
    async fn pid(&self, name: &str) -> rustix::process::Pid {
        let file = self.scratch(name);
        within(Duration::from_secs(10), || {
            let number = std::fs::read_to_string(&file).ok()?.trim().parse().ok()?;
            rustix::process::Pid::from_raw(number)
        })
        .await
    }
}

/// Asks until there is an answer.
async fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < limit, "nothing within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn gone(pid: rustix::process::Pid) {
    within(Duration::from_secs(5), || {
        // Who has ended but is not yet waited for by init is gone as well.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let zombie = state.is_ok_and(|state| state.contains(") Z "));
        (zombie || rustix::process::test_kill_process(pid).is_err()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_good_end_gives_the_last_figures() {
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
        "http://s3/b/it's here.mkv?X-Amz-Algorithm=A&X-Amz-Signature=abc",
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
    let end = "-stats_period\n0.5\n-i\nhttp://s3/b/it's here.mkv?…\n-crf\n24\n\n";
    assert!(words.ends_with(end), "{line} is {words}");
}

#[tokio::test]
async fn garbage_on_both_pipes_is_harmless() {
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
async fn nobody_waiting_means_nobody_left() {
    let stand_in = StandIn::new("sleep 600 & echo $! > child; echo $$ > parent; wait");
    let pids = tokio::select! {
        ended = stand_in.run() => panic!("{ended:?}"),
        pids = async { (stand_in.pid("parent").await, stand_in.pid("child").await) } => pids,
    };
    gone(pids.0).await;
    gone(pids.1).await;
}

#[tokio::test]
async fn reports_without_getting_on_are_a_stall() {
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
async fn writing_is_getting_on_although_nothing_is_reported() {
    // Longer than the limit in all, and far from it between two writes.
    let mut stand_in =
        StandIn::new("i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo $i > out; sleep 0.1; done");
    stand_in.runner.limits.stall = Duration::from_secs(3);
    stand_in.run().await.expect("ends well");
}

#[tokio::test]
async fn a_crash_is_in_doubt_and_a_kill_is_the_workers_fault() {
    let killed = |signal: &str| {
        let stand_in = StandIn::new(&format!("kill -{signal} $$"));
        async move { stand_in.run().await.expect_err("killed") }
    };
    let crashed = killed("SEGV").await;
    assert_eq!(crashed.doubt, Some(Doubt::Proof));
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

#[tokio::test]
async fn the_environment_holds_no_secrets() {
    let stand_in = StandIn::new("env > env");
    stand_in.run().await.expect("ends well");
    let env = std::fs::read_to_string(stand_in.scratch("env")).expect("text");
    let scratch = stand_in.scratch.path().display();
    assert!(env.contains(&format!("HOME={scratch}")), "{env}");
    assert!(!env.contains("CARGO"), "{env}");
}

/// Processes that a script started, by what its folder is called in their environment.
#[cfg(target_os = "linux")]
fn alive(stand_in: &StandIn) -> Vec<String> {
    let scratch = stand_in.scratch.path().display().to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    processes
        .filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&scratch)
        })
        .map(|process| {
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).replace('\0', " ")
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn whatever_left_the_group_and_the_session_is_gone_when_the_end_is_told() {
    let started = [
        // A session of its own; one whose parent is gone; one that is told to end and does not.
        "setsid sleep 600 & sleep 0.2",
        "sh -c 'setsid sh -c \"sleep 600 & sleep 600\" & setsid sleep 600 &'; sleep 0.2",
        "setsid sh -c \"trap '' TERM HUP INT; sleep 600; sleep 600\" & sleep 0.2",
        // Each starts the next and ends.
        "echo 'setsid sh ./next & exit' > next; setsid sh ./next & sleep 0.2",
    ];
    for script in started {
        let stand_in = StandIn::new(&format!("{script}; echo frame=1; echo progress=end"));
        stand_in.run().await.expect("ends well");
        assert_eq!(alive(&stand_in), Vec::<String>::new(), "{script}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn stopping_reaches_other_sessions_too() {
    let mut stand_in = StandIn::new(
        "trap '' TERM; setsid sh -c \"echo \\$\\$ > child; sleep 600; sleep 600\" & sleep 600; sleep 600",
    );
    stand_in.runner.limits.grace = Duration::from_millis(200);
    let stop = stand_in.runner.stop.clone();
    let (ended, _) = tokio::join!(stand_in.run(), async {
        stand_in.pid("child").await;
        stop.cancel();
    });
    assert_eq!(ended.expect_err("stopped").fault, Fault::Passing);
    assert_eq!(alive(&stand_in), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_supervisor_takes_all_down_when_the_worker_is_gone_and_survives_being_asked() {
    let stand_in = StandIn::new(
        "trap 'echo asked > asked' TERM; setsid sh -c \"trap '' TERM; echo \\$\\$ > child; sleep 600; sleep 600\" & \
         while :; do sleep 0.1; done",
    );
    let mut command = stand_in
        .runner
        .sandbox
        .command(&stand_in.runner.tools.ffmpeg);
    command.stdin(std::process::Stdio::piped());
    let mut supervisor = command.spawn().expect("started");
    stand_in.pid("child").await;
    let id = supervisor
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    rustix::process::kill_process(id.expect("lives"), rustix::process::Signal::TERM)
        .expect("heard");
    within(Duration::from_secs(10), || {
        stand_in.scratch("asked").exists().then_some(())
    })
    .await;
    assert!(supervisor.try_wait().expect("a child").is_none());
    drop(supervisor.stdin.take());
    let status = supervisor.wait().await.expect("ends");
    assert!(!status.success(), "{status}");
    assert_eq!(alive(&stand_in), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tool_that_only_looks_may_not_write() {
    let mut stand_in = StandIn::new(
        "if sh -c 'echo x > here' 2> /dev/null; then echo frame=1; else echo frame=0; fi; echo progress=end",
    );
    stand_in.runner.sandbox.writes = false;
    let finished = stand_in.run().await.expect("ends well");
    assert_eq!(finished.progress.frame, 0);
}

/// Runs a script that tries to do something, and tells whether it could.
#[cfg(target_os = "linux")]
async fn allowed(read: &[&Path], network: bool, attempt: &str) -> bool {
    let mut stand_in = StandIn::new(&format!(
        "if {attempt}; then echo frame=1; else echo frame=0; fi; echo progress=end"
    ));
    stand_in.runner.sandbox.read = read.iter().map(|path| path.to_path_buf()).collect();
    stand_in.runner.sandbox.network = network;
    let finished = stand_in.run().await.expect("ends well");
    finished.progress.frame == 1
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_link_that_takes_the_inputs_place_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().canonicalize().expect("there");
    for name in ["in", "home"] {
        std::fs::create_dir(base.join(name)).expect("made");
        std::fs::write(base.join(name).join("film"), name).expect("written");
    }
    let input = base.join("in/film");
    let reads = format!("cat {} > /dev/null 2>&1", base.join("home/film").display());
    // Swapped after the worker has looked: the file, then a folder above it.
    for (swapped, target) in [("in/film", "../home/film"), ("in", "home")] {
        std::fs::rename(base.join(swapped), base.join("aside")).expect("moved");
        std::os::unix::fs::symlink(target, base.join(swapped)).expect("linked");
        let mut stand_in = StandIn::new(&format!("if {reads}; then echo frame=1; fi"));
        stand_in.runner.sandbox.read = vec![input.clone()];
        let ended = stand_in.run().await;
        assert!(ended.is_err(), "it did not even start");
        std::fs::remove_file(base.join(swapped)).expect("removed");
        std::fs::rename(base.join("aside"), base.join(swapped)).expect("back");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_reads_its_input_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, other) = (folder.path().join("input"), folder.path().join("other"));
    std::fs::write(&input, "input").expect("written");
    std::fs::write(&other, "other").expect("written");
    let try_to = |what: &str, path: &Path| format!("{what} {} > /dev/null 2>&1", path.display());
    assert!(allowed(&[&input], false, &try_to("cat", &input)).await);
    assert!(!allowed(&[&input], false, &try_to("cat", &other)).await);
    assert!(!allowed(&[&input], false, &try_to("ls", folder.path())).await);
    assert!(!allowed(&[&input], false, "cat /etc/passwd > /dev/null 2>&1").await);
    assert!(
        !allowed(
            &[&input],
            false,
            &format!("cat /proc/{}/environ", std::process::id())
        )
        .await
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_writes_its_scratch_folder_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input");
    std::fs::write(&input, "input").expect("written");
    let shell = |path: &Path| format!("sh -c 'echo x > {}' 2> /dev/null", path.display());
    assert!(
        allowed(
            &[&input],
            false,
            "sh -c 'echo x > here && mkdir d && rm here' 2> /dev/null"
        )
        .await
    );
    assert!(!allowed(&[&input], false, &shell(&input)).await);
    assert!(!allowed(&[&input], false, &shell(&folder.path().join("new"))).await);
    assert!(
        !allowed(
            &[&input],
            false,
            &format!("rm {} 2> /dev/null", input.display())
        )
        .await
    );
    assert_eq!(std::fs::read(&input).expect("unharmed"), b"input");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_connects_only_where_the_source_is_remote() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connect = format!("bash -c '< /dev/tcp/127.0.0.1/{port}' 2> /dev/null");
    assert!(allowed(&[], true, &connect).await);
    assert!(!allowed(&[], false, &connect).await);
}

#[cfg(target_os = "linux")]
#[test]
fn the_wrapper_refuses_orders_it_does_not_know() {
    let worker = std::process::Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["sandbox", "--nonsense", "--", "true"].map(OsString::from))
        .output()
        .expect("runs");
    assert_eq!(
        worker.status.code(),
        Some(i32::from(worker::sandbox::FAILED))
    );
}
