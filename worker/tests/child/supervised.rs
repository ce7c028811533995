//! A tool that hides its children in other process groups and sessions.

use std::time::{Duration, Instant};

use common::job::failure::Fault;

use crate::{StandIn, within};

/// The processes that a script started, found by the name of its folder in their environment.
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
async fn children_outside_the_group_and_the_session_are_gone_when_a_run_has_ended() {
    let started = [
        // A child in a session of its own, a child whose parent is gone, and a child that ignores SIGTERM.
        "setsid sleep 600 & sleep 0.2",
        "sh -c 'setsid sh -c \"sleep 600 & sleep 600\" & setsid sleep 600 &'; sleep 0.2",
        "setsid sh -c \"trap '' TERM HUP INT; sleep 600; sleep 600\" & sleep 0.2",
        // Each child starts the next one and ends.
        "echo 'setsid sh ./next & exit' > next; setsid sh ./next & sleep 0.2",
    ];
    for script in started {
        let stand_in = StandIn::new(&format!("{script}; echo frame=1; echo progress=end"));
        stand_in.run().await.expect("ends well");
        assert_eq!(alive(&stand_in), Vec::<String>::new(), "{script}");
    }
}

/// Starts sixty chains of processes that each start the next one, in a session of its own, and end at once. A chain
/// ends by itself after 20 seconds.
#[cfg(target_os = "linux")]
const HOPS: &str = r#"perl -MPOSIX -e '
    my $until = time + 20;
    for (1..60) {
        next if fork;
        while (time < $until) { POSIX::_exit(0) if fork; POSIX::setsid() }
        exit;
    }' &
    sleep 0.2; "#;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn chains_of_processes_that_end_at_once_are_gone_when_a_run_has_ended() {
    let stand_in = StandIn::new(&format!("{HOPS} echo frame=1; echo progress=end"));
    let started = Instant::now();
    stand_in.run().await.expect("ends well");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(alive(&stand_in), Vec::<String>::new());
}

/// Stops a run once its script has written the file `child`, and returns how long all of it took. Nothing is alive
/// afterwards.
#[cfg(target_os = "linux")]
async fn stopped(stand_in: &mut StandIn) -> Duration {
    stand_in.runner.limits.grace = Duration::from_millis(200);
    let stop = stand_in.runner.stop.clone();
    let started = Instant::now();
    let (ended, _) = tokio::join!(stand_in.run(), async {
        stand_in.pid("child").await;
        stop.cancel();
    });
    assert_eq!(ended.expect_err("stopped").fault, Fault::Passing);
    assert_eq!(alive(stand_in), Vec::<String>::new());
    started.elapsed()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn chains_of_processes_do_not_outlive_a_stopped_run() {
    let mut stand_in = StandIn::new(&format!("{HOPS} echo $$ > child; sleep 600; sleep 600"));
    let took = stopped(&mut stand_in).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tool_that_leaves_its_own_group_is_killed_too() {
    // The group that it moves to is its child's.
    let mut stand_in = StandIn::new(
        r#"exec perl -MPOSIX -e '
        my $child = fork;
        unless ($child) { POSIX::setpgid(0, 0); sleep 60; exit }
        until (POSIX::setpgid(0, $child)) { select(undef, undef, undef, 0.01) }
        open(my $file, ">", "child"); print $file $$; close $file;
        $SIG{TERM} = "IGNORE"; sleep 60'"#,
    );
    let took = stopped(&mut stand_in).await;
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn stopping_reaches_other_sessions_too() {
    let mut stand_in = StandIn::new(
        "trap '' TERM; setsid sh -c \"echo \\$\\$ > child; sleep 600; sleep 600\" & sleep 600; sleep 600",
    );
    stopped(&mut stand_in).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_supervisor_kills_all_children_after_its_worker_and_survives_sigterm() {
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
