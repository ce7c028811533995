//! The supervisor of one tool: no process that the tool started outlives the tool, in whatever process group or
//! session.
//!
//! An orphaned process becomes a child of its nearest ancestor that is a subreaper. The supervisor is one. Once all
//! processes in between are dead, every process of the tool is therefore a child of the supervisor. If the supervisor
//! has no child left, no process of the tool is left.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getpid, kill_process,
    kill_process_group, pidfd_open, pidfd_send_signal, set_child_subreaper, setrlimit, wait,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::{emulate_default_handler, pipe};

/// The first and the longest pause between two checks whether all killed processes are gone.
const PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));
/// How long ended children are reaped, at most, before those that are left are killed again: there may always be more.
const REAPING: Duration = Duration::from_millis(10);
/// Children whose own children are looked for.
const FEW: usize = 100;

/// Runs a tool until every process that it started has ended, and then ends with the tool's own exit code or signal.
/// `order` holds the arguments of `worker sandbox`. `hands_over` says whether the process that becomes the tool gets
/// standard input, to hand a socket over to the worker by it. A byte on standard input, or a signal, asks the tool to end. The
/// end of standard input kills the tool.
///
/// # Errors
/// If the tool cannot be started.
pub(super) fn run(order: &[OsString], hands_over: bool) -> io::Result<ExitCode> {
    set_child_subreaper(Some(getpid()))?;
    let signals = Signals::open()?;
    let mut tool = Command::new("/proc/self/exe")
        .args(["sandbox", "--child", &getpid().to_string()])
        .args(order)
        .stdin(match hands_over {
            true => Stdio::inherit(),
            false => Stdio::null(),
        })
        .process_group(0)
        .spawn()?;
    let group = i32::try_from(tool.id()).ok().and_then(Pid::from_raw);
    let group = group.ok_or(io::ErrorKind::InvalidData)?;
    let mut input = io::stdin().lock();
    let status = loop {
        if let Some(status) = tool.try_wait()? {
            break status;
        }
        let has_input = signals.wait(&input)?;
        let is_closed = has_input && matches!(input.read(&mut [0; 16]), Ok(0) | Err(_));
        if is_closed {
            let _ = kill_process_group(group, Signal::KILL);
            // The tool may have left its group.
            let _ = tool.kill();
            break tool.wait()?;
        }
        if has_input || signals.is_signalled() {
            let _ = kill_process_group(group, Signal::TERM);
        }
    };
    // This kills most of the remaining processes at once.
    let _ = kill_process_group(group, Signal::KILL);
    kill_children()?;
    Ok(end_as(status))
}

/// The signals of this process, to be awaited together with standard input. SIGCHLD reports the tool's end. Requests
/// to end are caught, so that this process survives them.
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
        let has_input = !ready[0].revents().is_empty();
        while matches!((&self.received).read(&mut [0; 64]), Ok(1..)) {}
        Ok(has_input)
    }

    fn is_signalled(&self) -> bool {
        self.signalled.swap(false, Ordering::SeqCst)
    }
}

/// Kills and reaps children until none is left. New orphans become children meanwhile, and are killed too.
///
/// Processes that start a successor and end at once would always be gone before a pause is over. So there are no pauses
/// as long as children end.
fn kill_children() -> io::Result<()> {
    // On a busy machine they would run more often than this process. Only root may go before others.
    let _ = rustix::process::nice(-20);
    let mut pause = PAUSES.0;
    loop {
        let mut has_reaped = false;
        let started = Instant::now();
        while started.elapsed() < REAPING {
            match wait(WaitOptions::NOHANG) {
                Err(Errno::CHILD) => return Ok(()),
                Ok(Some(_)) => has_reaped = true,
                Ok(None) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        kill_family(&Family::now()?);
        match has_reaped {
            true => pause = PAUSES.0,
            false => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// Kills every process that descends from this one, each as soon as it is found.
fn kill_family(family: &Family) {
    let own = getpid();
    let mut parents = family.children_of(own);
    // Only this process reaps its children, so their ids cannot be reused in the meantime.
    for child in &parents {
        let _ = kill_process(*child, Signal::KILL);
    }
    // Among very many children, most have ended already and wait to be reaped. That comes first.
    if parents.len() > FEW {
        return;
    }
    while let Some(parent) = parents.pop() {
        for child in family.children_of(parent) {
            // The id may be another process's by now, which does not descend from this one.
            let Ok(process) = pidfd_open(child, PidfdFlags::empty()) else {
                continue;
            };
            if [own, parent].map(Some).contains(&parent_of(child)) {
                let _ = pidfd_send_signal(process, Signal::KILL);
                parents.push(child);
            }
        }
    }
}

/// Who is whose child.
enum Family {
    /// The kernel lists the children of a thread. This is so fast that a process is found before it has started another.
    Listed,
    /// Parents and children at some time, on a kernel that lists none.
    Seen(Vec<(Pid, Pid)>),
}

impl Family {
    fn now() -> io::Result<Self> {
        let own = getpid();
        if Path::new(&format!("/proc/{own}/task/{own}/children")).exists() {
            return Ok(Self::Listed);
        }
        let ids = ids_in("/proc")?.into_iter();
        let pairs = ids.filter_map(|id| Some((parent_of(id)?, id)));
        Ok(Self::Seen(pairs.collect()))
    }

    fn children_of(&self, parent: Pid) -> Vec<Pid> {
        match self {
            Self::Listed => {
                let threads = ids_in(&format!("/proc/{parent}/task")).unwrap_or_default();
                let children = threads.into_iter().flat_map(|thread| {
                    let file = format!("/proc/{parent}/task/{thread}/children");
                    let ids = std::fs::read_to_string(file).unwrap_or_default();
                    ids.split_whitespace().filter_map(id).collect::<Vec<_>>()
                });
                children.collect()
            }
            Self::Seen(pairs) => {
                let children = pairs.iter().filter(|(of, _)| *of == parent);
                children.map(|(_, child)| *child).collect()
            }
        }
    }
}

/// The processes or threads that a folder of `/proc` lists.
fn ids_in(folder: &str) -> io::Result<Vec<Pid>> {
    let entries = std::fs::read_dir(folder)?.flatten();
    Ok(entries
        .filter_map(|entry| id(entry.file_name().to_str()?))
        .collect())
}

fn id(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

fn parent_of(process: Pid) -> Option<Pid> {
    // The format is `ID (NAME) STATE PARENT …`. NAME may contain any character, even `)`.
    let stat = std::fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1).and_then(id)
}

/// Ends this process with the tool's exit code or signal.
fn end_as(status: ExitStatus) -> ExitCode {
    if let Some(code) = status.code() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let number = status.signal().unwrap_or(Signal::KILL.as_raw());
    // A core dump would show this program, not the tool.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = emulate_default_handler(number);
    // The signal did not end this process.
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}
