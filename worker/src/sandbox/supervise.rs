//! The supervisor of one tool: what the tool started and left behind does not
//! outlive it, in whatever group or session that has hidden.
//!
//! Orphans come to the nearest ancestor that asked for them. So whatever a tool
//! starts is a child of the supervisor's once all in between are dead, and none
//! is left where the supervisor has no child any more.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, getpid, kill_process, kill_process_group,
    set_child_subreaper, setrlimit, wait,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, pipe};

/// First and longest pause between two looks whether all that was killed is gone.
const LOOKS: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));

/// Runs a tool, with the arguments of `worker sandbox`, to the end of all that it
/// starts, and ends as it did. The tool is asked to end by a byte on standard
/// input or by a signal; with the end of standard input, all is killed.
///
/// # Errors
/// Where the tool cannot be started.
pub(super) fn run(order: &[OsString]) -> io::Result<ExitCode> {
    set_child_subreaper(Some(getpid()))?;
    let signals = Signals::open()?;
    let mut tool = Command::new("/proc/self/exe")
        .args(["sandbox", "--child", &getpid().to_string()])
        .args(order)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let group = i32::try_from(tool.id()).ok().and_then(Pid::from_raw);
    let group = group.ok_or(io::ErrorKind::InvalidData)?;
    let mut input = io::stdin().lock();
    let status = loop {
        if let Some(status) = tool.try_wait()? {
            break status;
        }
        let is_spoken_to = signals.wait(&input)?;
        let is_over = is_spoken_to && matches!(input.read(&mut [0; 16]), Ok(0) | Err(_));
        if is_over {
            let _ = kill_process_group(group, Signal::KILL);
            break tool.wait()?;
        }
        if is_spoken_to || signals.is_signalled() {
            let _ = kill_process_group(group, Signal::TERM);
        }
    };
    // Most of what is left, at one blow.
    let _ = kill_process_group(group, Signal::KILL);
    kill_children()?;
    Ok(end_as(status))
}

/// Signals of this process, to be waited for together with standard input: the end
/// of the tool, and requests to end, which this process therefore survives.
struct Signals {
    received: UnixStream,
    signalled: Arc<AtomicBool>,
}

impl Signals {
    fn open() -> io::Result<Self> {
        let (received, sent) = UnixStream::pair()?;
        received.set_nonblocking(true)?;
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGCHLD] {
            pipe::register(signal, sent.try_clone()?)?;
        }
        Ok(Self {
            received,
            signalled,
        })
    }

    /// Waits for a signal or for input. Returns whether there is input to read.
    fn wait(&self, input: &impl AsFd) -> io::Result<bool> {
        let mut ready = [
            PollFd::new(input, PollFlags::IN),
            PollFd::new(&self.received, PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_spoken_to = !ready[0].revents().is_empty();
        while matches!((&self.received).read(&mut [0; 64]), Ok(1..)) {}
        Ok(is_spoken_to)
    }

    fn is_signalled(&self) -> bool {
        self.signalled.swap(false, Ordering::SeqCst)
    }
}

/// Kills and reaps until there is no child left, those that only now become
/// children included.
fn kill_children() -> io::Result<()> {
    let mut pause = LOOKS.0;
    loop {
        match wait(WaitOptions::NOHANG) {
            Err(Errno::CHILD) => return Ok(()),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(None) => {
                for child in children()? {
                    let _ = kill_process(child, Signal::KILL);
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(LOOKS.1);
            }
        }
    }
}

/// The processes whose parent this is. None of them is reaped but by this
/// process, so their numbers are theirs.
fn children() -> io::Result<Vec<Pid>> {
    let own = getpid().to_string();
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(id) = id.and_then(Pid::from_raw) else {
            continue;
        };
        // `ID (NAME) STATE PARENT …`, and a name may hold anything.
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if parent == Some(&own) {
            children.push(id);
        }
    }
    Ok(children)
}

/// Ends this process as the tool ended.
fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(code) = status.code() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let number = status.signal().unwrap_or(Signal::KILL.as_raw());
    // The core would be this program's, not the tool's.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = emulate_default_handler(number);
    // No such signal ends a process by itself.
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}
