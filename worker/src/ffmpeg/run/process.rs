//! One tool, watched from its start to its end.
//!
//! A process group of its own, or a supervisor (see [`crate::sandbox`]). A tool that is told to stop, gets nowhere, or
//! has said enough is asked to end (TERM), given its grace, and killed (KILL) with all that it started. So is a tool
//! whose watcher is dropped, without the grace.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sandbox::child::Child;

/// How long pipes are read on after the tool's end. What it wrote is there at once, and a stray grandchild may hold
/// the pipes open for ever.
const DRAIN: Duration = Duration::from_millis(200);

/// How long a folder may take to say when something was last written in it.
const LOOK: Duration = Duration::from_secs(10);

/// How patient to be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a tool may go without getting on before it is killed.
    pub stall: Duration,
    /// How long it may take to end by itself after it was asked to.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(60),
            grace: Duration::from_secs(2),
        }
    }
}

/// A tool that is to be run.
pub(super) struct Process<'a> {
    pub(super) command: Command,
    /// Whether the command is that of a supervisor.
    pub(super) is_supervised: bool,
    pub(super) limits: Limits,
    /// A folder: a tool that writes in it gets on, whatever it says. Moving an index to the front of a big file takes
    /// time and reports nothing.
    pub(super) writes_in: Option<PathBuf>,
    pub(super) stop: &'a CancellationToken,
}

/// What a tool prints, as it comes.
#[derive(Clone, Copy)]
pub(super) enum Said<'a> {
    /// On its standard output.
    Answer(&'a [u8]),
    /// On its standard error.
    Log(&'a [u8]),
}

/// What follows from what a tool printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    GoOn,
    /// The tool got on: its time to stall begins anew.
    GotOn,
    /// Nobody wants to hear more: the tool is ended.
    Enough,
}

/// How a tool ended.
#[derive(Debug)]
pub(super) enum End {
    /// By itself, or by somebody else's signal.
    Itself(ExitStatus),
    /// It was told to stop.
    Stopped,
    /// It got nowhere for as long as it may.
    Stalled,
    /// It had said enough.
    Enough,
}

impl Process<'_> {
    /// Runs the tool to its end; `hear` gets what it prints.
    ///
    /// # Errors
    /// Where it cannot be started or waited for.
    pub(super) async fn run(
        mut self,
        mut hear: impl FnMut(Said<'_>) -> Verdict,
    ) -> io::Result<End> {
        if self.stop.is_cancelled() {
            return Ok(End::Stopped);
        }
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(self.command, self.is_supervised)?;
        let mut stdout = Pipe::new(child.stdout());
        let mut stderr = Pipe::new(child.stderr());
        let Limits { stall, grace } = self.limits;
        let mut deadline = Instant::now() + stall;

        let status = loop {
            let verdict = tokio::select! {
                status = child.wait() => break status?,
                bytes = stdout.read() => hear(Said::Answer(bytes)),
                bytes = stderr.read() => hear(Said::Log(bytes)),
                () = self.stop.cancelled() => {
                    child.end(grace).await;
                    return Ok(End::Stopped);
                }
                () = tokio::time::sleep_until(deadline) => {
                    let Some(ago) = written_ago(self.writes_in.clone()).await.filter(|ago| *ago < stall) else {
                        child.end(grace).await;
                        return Ok(End::Stalled);
                    };
                    deadline = Instant::now() + (stall - ago);
                    Verdict::GoOn
                }
            };
            match verdict {
                Verdict::GoOn => {}
                Verdict::GotOn => deadline = Instant::now() + stall,
                Verdict::Enough => {
                    child.end(grace).await;
                    return Ok(End::Enough);
                }
            }
        };
        child.kill();
        let rest = async {
            while stdout.is_open() || stderr.is_open() {
                tokio::select! {
                    bytes = stdout.read() => hear(Said::Answer(bytes)),
                    bytes = stderr.read() => hear(Said::Log(bytes)),
                };
            }
        };
        let _ = tokio::time::timeout(DRAIN, rest).await;
        Ok(End::Itself(status))
    }
}

/// How long ago something was last written in a folder; `None` where the folder does not say, or its disk hangs.
async fn written_ago(folder: Option<PathBuf>) -> Option<Duration> {
    let folder = folder?;
    let newest = tokio::task::spawn_blocking(move || {
        std::fs::read_dir(&folder)
            .ok()?
            .filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok())
            .max()
    });
    let newest = tokio::time::timeout(LOOK, newest).await.ok()?;
    SystemTime::now().duration_since(newest.ok()??).ok()
}

/// One of a tool's output streams.
struct Pipe<R> {
    source: Option<R>,
    buffer: Box<[u8; 8192]>,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(source: Option<R>) -> Self {
        Self {
            source,
            buffer: Box::new([0; 8192]),
        }
    }

    fn is_open(&self) -> bool {
        self.source.is_some()
    }

    /// The next bytes; never returns once the stream has ended.
    async fn read(&mut self) -> &[u8] {
        let Some(source) = &mut self.source else {
            return std::future::pending().await;
        };
        let length = source.read(&mut *self.buffer).await.unwrap_or(0);
        if length == 0 {
            self.source = None;
        }
        &self.buffer[..length]
    }
}
