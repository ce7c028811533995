//! ffmpeg as a child process: watched while it runs, and gone with all that it
//! started when it ends, is stopped, stalls, or nobody waits for it any more.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use common::job::failure::{Doubt, Failure};
use common::job::progress::EncodeProgress;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::Tools;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::progress::{ProgressReader, advanced};
use crate::ffmpeg::run::tail::{Line, Lines, Tail, without_signature};
use crate::sandbox::Sandbox;
use crate::sandbox::child::Child;

/// How long pipes are read on after the child's end: what it wrote is there at
/// once, and a stray grandchild may hold them open for ever.
const DRAIN: Duration = Duration::from_millis(200);

/// More than any sane answer of ffprobe's.
const ANSWER_BYTES: usize = 16 << 20;

/// How ffmpeg is told to say how bad each line of its log is, and how far it has got.
const PROGRESS: [&str; 7] = [
    "-loglevel",
    "level+warning",
    "-progress",
    "pipe:1",
    "-nostats",
    "-stats_period",
    "0.5",
];

/// What ffmpeg lets be known of itself while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    /// How far it is.
    Progress(EncodeProgress),
    /// A line of its log, fit to be read.
    Log(&'a str),
}

/// What ffprobe prints.
#[derive(Clone, Copy, Debug)]
pub enum Printed<'a> {
    /// A line of its answer.
    Answer(&'a str),
    /// A line of its log.
    Log(&'a str),
}

/// How patient to be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a run may go without getting on before it is killed.
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

/// Runs the tools for one job.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The programs.
    pub tools: Tools,
    /// What they may touch.
    pub sandbox: Sandbox,
    /// How patient to be.
    pub limits: Limits,
    /// Ends whatever runs. The failure that comes of it is a passing one; ask
    /// the token, not the failure.
    pub stop: CancellationToken,
}

/// An ffmpeg that ended well.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its last figures.
    pub progress: EncodeProgress,
    /// What it complained of all the same.
    pub complaints: Complaints,
    /// Wall time.
    pub elapsed: Duration,
}

impl Runner {
    /// The same for a tool that may write in a folder, its home.
    #[must_use]
    pub fn writing(&self, folder: PathBuf) -> Self {
        let mut runner = self.clone();
        runner.sandbox.home = folder;
        runner.sandbox.writes = true;
        runner
    }

    /// The same for a tool that may read a file besides.
    #[must_use]
    pub fn reading(&self, file: &Path) -> Self {
        let mut runner = self.clone();
        runner.sandbox.read.push(file.to_owned());
        runner
    }

    /// The command line by which [`Self::ffmpeg`] runs, as a shell would read
    /// it; what lets anyone read a private object is left out.
    pub fn command_line(&self, arguments: &[OsString]) -> String {
        let program = [self.tools.ffmpeg.as_os_str()];
        let own = PROGRESS.map(OsStr::new);
        let words = program
            .into_iter()
            .chain(own)
            .chain(arguments.iter().map(OsString::as_os_str));
        let words: Vec<String> = words
            .map(|word| quoted(&without_signature(&word.to_string_lossy())))
            .collect();
        words.join(" ")
    }

    /// Runs ffmpeg to its end; `heard` gets its figures about twice a second,
    /// and each line of its log.
    ///
    /// # Errors
    /// Where it does not end well, stalls, or is stopped.
    pub async fn ffmpeg(
        &self,
        arguments: &[OsString],
        origin: Origin,
        mut heard: impl FnMut(Sign<'_>),
    ) -> Result<Finished, Failure> {
        let started = Instant::now();
        let mut lines = Lines::default();
        let mut reader = ProgressReader::default();
        let mut last = EncodeProgress::default();
        let mut complaints = Complaints::default();
        let mut command = self.sandbox.command(&self.tools.ffmpeg);
        command.args(PROGRESS).args(arguments);
        let output = |said: Said<'_>| {
            let mut got_on = false;
            match said {
                Said::Answer(bytes) => lines.feed(bytes, |line| {
                    if let Some(now) = reader.line(line) {
                        got_on |= advanced(&last, &now);
                        last = now;
                        heard(Sign::Progress(now));
                    }
                }),
                Said::Log(line) => {
                    complaints.note(line);
                    heard(Sign::Log(&line.text));
                }
            }
            got_on
        };
        let ended = self.supervise("ffmpeg", command, output).await?;
        if !ended.status.success() {
            return Err(fault::failure("ffmpeg", ended.status, &ended.log, origin));
        }
        if let Some(failure) = fault::unfinished(&ended.log) {
            return Err(failure);
        }
        Ok(Finished {
            progress: last,
            complaints,
            elapsed: started.elapsed(),
        })
    }

    /// Runs ffprobe to its end and gives what it prints.
    ///
    /// # Errors
    /// Where it does not end well, stalls, or is stopped; the input's fault where there is more to
    /// print than any film needs.
    pub async fn ffprobe(
        &self,
        arguments: &[OsString],
        origin: Origin,
    ) -> Result<Vec<u8>, Failure> {
        let mut answer = Vec::new();
        let mut is_whole = true;
        self.ffprobe_said(arguments, origin, |said| {
            let Said::Answer(bytes) = said else {
                return false;
            };
            let room = ANSWER_BYTES - answer.len();
            answer.extend_from_slice(&bytes[..bytes.len().min(room)]);
            is_whole &= bytes.len() <= room;
            is_whole
        })
        .await?;
        if is_whole {
            return Ok(answer);
        }
        Err(Failure::input(format!(
            "this file's list of tracks, chapters and tags is longer than {} MiB",
            ANSWER_BYTES >> 20
        )))
    }

    /// Runs ffprobe to its end and hands on every line that it prints.
    ///
    /// # Errors
    /// Where it does not end well, stalls, or is stopped.
    pub async fn ffprobe_lines(
        &self,
        arguments: &[OsString],
        origin: Origin,
        mut heard: impl FnMut(Printed<'_>),
    ) -> Result<(), Failure> {
        let mut lines = Lines::default();
        self.ffprobe_said(arguments, origin, |said| {
            match said {
                Said::Answer(bytes) => lines.feed(bytes, |line| heard(Printed::Answer(line))),
                Said::Log(line) => {
                    heard(Printed::Log(&line.text));
                    return false;
                }
            }
            true
        })
        .await?;
        lines.finish(|line| heard(Printed::Answer(line)));
        Ok(())
    }

    /// Runs ffprobe; `said` gets what it prints, and says whether that shows that it got on.
    async fn ffprobe_said(
        &self,
        arguments: &[OsString],
        origin: Origin,
        said: impl FnMut(Said<'_>) -> bool,
    ) -> Result<(), Failure> {
        let mut command = self.sandbox.command(&self.tools.ffprobe);
        command.args(arguments);
        let ended = self.supervise("ffprobe", command, said).await?;
        if ended.status.success() {
            Ok(())
        } else {
            Err(fault::failure("ffprobe", ended.status, &ended.log, origin))
        }
    }

    /// Waits for the end of a child; `output` gets what it says, and says
    /// whether that shows that the child got on.
    async fn supervise(
        &self,
        tool: &str,
        mut command: Command,
        mut output: impl FnMut(Said<'_>) -> bool,
    ) -> Result<Ended, Failure> {
        if self.stop.is_cancelled() {
            return Err(stopped(tool));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(command, self.sandbox.is_supervised())
            .map_err(|error| Failure::worker(format!("{tool} cannot be started: {error}")))?;
        let mut stdout = Pipe::new(child.stdout());
        let mut stderr = Pipe::new(child.stderr());
        let mut log = Tail::default();
        let mut deadline = Instant::now() + self.limits.stall;

        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                bytes = stdout.read() => if output(Said::Answer(bytes)) {
                    deadline = Instant::now() + self.limits.stall;
                },
                bytes = stderr.read() => log.feed(bytes, |line| {
                    output(Said::Log(line));
                }),
                () = self.stop.cancelled() => {
                    child.end(self.limits.grace).await;
                    return Err(stopped(tool));
                }
                () = tokio::time::sleep_until(deadline) => {
                    match self.written_ago().filter(|ago| *ago < self.limits.stall) {
                        // Moving an index to the front of a big file takes time and reports nothing.
                        Some(ago) => deadline = Instant::now() + (self.limits.stall - ago),
                        None => {
                            child.end(self.limits.grace).await;
                            return Err(stalled(tool, self.limits.stall, log));
                        }
                    }
                }
            }
        };
        child.kill();
        let rest = async {
            while stdout.is_open() || stderr.is_open() {
                tokio::select! {
                    bytes = stdout.read() => { output(Said::Answer(bytes)); }
                    bytes = stderr.read() => log.feed(bytes, |line| {
                    output(Said::Log(line));
                }),
                }
            }
        };
        let _ = tokio::time::timeout(DRAIN, rest).await;
        Ok(Ended {
            status: status.map_err(|error| {
                Failure::worker(format!("{tool} cannot be waited for: {error}"))
            })?,
            log: self.nameless(log.into_lines()),
        })
    }

    /// A log without the paths of what is read and made: they say nothing of what went wrong.
    fn nameless(&self, mut log: Vec<Line>) -> Vec<Line> {
        let name = |path: &Path| crate::ffmpeg::file(path).to_string_lossy().into_owned();
        let inputs: Vec<String> = self.sandbox.read.iter().map(|path| name(path)).collect();
        let home = format!("{}/", name(&self.sandbox.home));
        for line in &mut log {
            for input in &inputs {
                line.text = line.text.replace(input, "input");
            }
            line.text = line.text.replace(&home, "");
        }
        log
    }

    /// How long ago something was last written to the folder that it may write in.
    fn written_ago(&self) -> Option<Duration> {
        if !self.sandbox.writes {
            return None;
        }
        let newest = std::fs::read_dir(&self.sandbox.home)
            .ok()?
            .filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok())
            .max()?;
        SystemTime::now().duration_since(newest).ok()
    }
}

/// What a child says.
enum Said<'a> {
    /// On its standard output.
    Answer(&'a [u8]),
    /// A line of its log.
    Log(&'a Line),
}

/// A word of a command line, so that a shell takes it as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

struct Ended {
    status: ExitStatus,
    log: Vec<Line>,
}

fn stopped(tool: &str) -> Failure {
    Failure::passing(format!("{tool} was stopped"))
}

fn stalled(tool: &str, after: Duration, log: Tail) -> Failure {
    let after = humantime::format_duration(after);
    // A machine may be slow, and a file may have no end.
    Failure::in_doubt(
        Doubt::SecondWorker,
        format!("{tool} made no progress for {after} and was killed"),
    )
    .with_log(fault::texts(&log.into_lines()))
}

/// One of a child's output streams.
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
