//! Watches one tool from its start to its end.
//!
//! The tool runs in its own process group, or behind a supervisor (see [`crate::sandbox`]). A tool is ended if the
//! caller stops it, if it makes no progress, or if the caller has read enough. It is first asked to end (TERM). After
//! a grace time it is killed (KILL) together with every process that it started. Dropping the future of
//! [`Process::run`] kills the tool without the grace time.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sandbox::address::Address;
use crate::sandbox::child::Child;

/// How long pipes are still read after the tool's end. The tool's last output is in them already, and a surviving
/// grandchild might hold them open for ever.
const DRAIN: Duration = Duration::from_millis(200);

/// The timeout for reading a folder's modification times.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limits for a tool.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a tool may make no progress before it is killed.
    pub stall: Duration,
    /// How long a tool may take to end after it was asked to.
    pub grace: Duration,
    /// How long a tool may run. `None`: for as long as it makes progress.
    pub longest: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            longest: None,
        }
    }
}

/// A tool to be run.
pub(super) struct Process<'a> {
    pub(super) command: Command,
    /// Whether the command starts a supervisor.
    pub(super) is_supervised: bool,
    /// The addresses that the tool may connect to.
    pub(super) addresses: &'a [Address],
    pub(super) limits: Limits,
    /// The folder in which the tool writes. Writing there counts as progress, even if the tool prints nothing: moving
    /// the index to the front of a big file takes long and reports nothing.
    pub(super) writes_in: Option<PathBuf>,
    pub(super) stop: &'a CancellationToken,
}

/// A piece of a tool's output.
#[derive(Clone, Copy)]
pub(super) enum Output<'a> {
    /// From standard output.
    Answer(&'a [u8]),
    /// From standard error.
    Log(&'a [u8]),
}

/// The caller's decision about a piece of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Carry on. The stall deadline stays.
    GoOn,
    /// The tool made progress. The stall deadline starts anew.
    GotOn,
    /// The caller needs no more output. The tool is ended.
    Enough,
}

/// How a tool ended.
#[derive(Debug)]
pub(super) enum End {
    /// By itself, or by a signal from outside.
    Itself(ExitStatus),
    /// The caller stopped it.
    Stopped,
    /// It made no progress for too long.
    Stalled,
    /// It ran for longer than it may.
    Overdue,
    /// The caller had read enough.
    Enough,
}

/// The tools that this process has started.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// How many tools this process has started.
pub fn starts() -> u64 {
    STARTS.load(Ordering::Relaxed)
}

impl Process<'_> {
    /// Runs the tool to its end, and passes its output to `on_output`.
    ///
    /// # Errors
    /// If the tool cannot be started, or if waiting fails.
    pub(super) async fn run(
        mut self,
        mut on_output: impl FnMut(Output<'_>) -> Verdict,
    ) -> io::Result<End> {
        if self.stop.is_cancelled() {
            return Ok(End::Stopped);
        }
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(self.command, self.is_supervised, self.addresses)?;
        STARTS.fetch_add(1, Ordering::Relaxed);
        let mut stdout = Pipe::new(child.stdout());
        let mut stderr = Pipe::new(child.stderr());
        let Limits {
            stall,
            grace,
            longest,
        } = self.limits;
        let mut overdue = std::pin::pin!(tokio::time::sleep(longest.unwrap_or(Duration::MAX)));
        let mut deadline = Instant::now() + stall;

        let status = loop {
            let verdict = tokio::select! {
                status = child.wait() => break status?,
                bytes = stdout.read() => on_output(Output::Answer(bytes)),
                bytes = stderr.read() => on_output(Output::Log(bytes)),
                () = self.stop.cancelled() => {
                    if let Err(error) = child.end(grace).await {
                        tracing::warn!(%error, "a stopped tool is left to itself");
                    }
                    return Ok(End::Stopped);
                }
                () = &mut overdue => {
                    child.end(grace).await?;
                    return Ok(End::Overdue);
                }
                () = tokio::time::sleep_until(deadline) => {
                    let Some(ago) = written_ago(self.writes_in.clone()).await.filter(|ago| *ago < stall) else {
                        child.end(grace).await?;
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
                    child.end(grace).await?;
                    return Ok(End::Enough);
                }
            }
        };
        child.kill();
        let rest = async {
            while stdout.is_open() || stderr.is_open() {
                tokio::select! {
                    bytes = stdout.read() => on_output(Output::Answer(bytes)),
                    bytes = stderr.read() => on_output(Output::Log(bytes)),
                };
            }
        };
        let _ = tokio::time::timeout(DRAIN, rest).await;
        Ok(End::Itself(status))
    }
}

/// The time since the last write in a folder. `None` if the folder cannot be read, or if its disk hangs.
async fn written_ago(folder: Option<PathBuf>) -> Option<Duration> {
    let folder = folder?;
    let newest = tokio::task::spawn_blocking(move || {
        std::fs::read_dir(&folder)
            .ok()?
            .filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok())
            .max()
    });
    let newest = tokio::time::timeout(LOOK_TIMEOUT, newest).await.ok()?;
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

    /// The next bytes. The future stays pending once the stream has ended.
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
