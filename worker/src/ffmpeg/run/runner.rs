//! ffmpeg and ffprobe as jobs run them: confined, watched, and their ends understood.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::job::failure::{Doubt, Failure};
use common::job::progress::EncodeProgress;
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::Tools;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::line::{Line, Lines, without_signature};
use crate::ffmpeg::run::process::{End, Limits, Process, Said, Verdict};
use crate::ffmpeg::run::progress::{ProgressReader, advanced};
use crate::ffmpeg::run::tail::Tail;
use crate::sandbox::Sandbox;

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
            .map(|word| without_signature(&word.to_string_lossy()))
            .collect();
        let words = words.iter().map(String::as_str);
        shlex::Quoter::new()
            .allow_nul(true)
            .join(words)
            .unwrap_or_default()
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
        let hear = |heard_now: Heard<'_>| {
            let mut verdict = Verdict::GoOn;
            match heard_now {
                Heard::Answer(bytes) => lines.feed(bytes, |line| {
                    if let Some(now) = reader.line(line) {
                        if advanced(&last, &now) {
                            verdict = Verdict::GotOn;
                        }
                        last = now;
                        heard(Sign::Progress(now));
                    }
                }),
                Heard::Log(line) => {
                    complaints.note(line);
                    heard(Sign::Log(&line.text));
                }
            }
            verdict
        };
        let (end, log) = self.run("ffmpeg", command, hear).await?;
        if let End::Itself(status) = end
            && !status.success()
        {
            return Err(fault::failure("ffmpeg", status, &log, origin));
        }
        if let Some(failure) = fault::unfinished(&log) {
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
        let hear = |heard: Heard<'_>| match heard {
            Heard::Answer(bytes) if answer.len() + bytes.len() > ANSWER_BYTES => Verdict::Enough,
            Heard::Answer(bytes) => {
                answer.extend_from_slice(bytes);
                Verdict::GotOn
            }
            Heard::Log(_) => Verdict::GoOn,
        };
        match self.run_ffprobe(arguments, origin, hear).await? {
            End::Enough => Err(Failure::input(format!(
                "this file's list of tracks, chapters and tags is longer than {} MiB",
                ANSWER_BYTES >> 20
            ))),
            _ => Ok(answer),
        }
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
        let hear = |said: Heard<'_>| match said {
            Heard::Answer(bytes) => {
                lines.feed(bytes, |line| heard(Printed::Answer(line)));
                Verdict::GotOn
            }
            Heard::Log(line) => {
                heard(Printed::Log(&line.text));
                Verdict::GoOn
            }
        };
        self.run_ffprobe(arguments, origin, hear).await?;
        lines.finish(|line| heard(Printed::Answer(line)));
        Ok(())
    }

    async fn run_ffprobe(
        &self,
        arguments: &[OsString],
        origin: Origin,
        hear: impl FnMut(Heard<'_>) -> Verdict,
    ) -> Result<End, Failure> {
        let mut command = self.sandbox.command(&self.tools.ffprobe);
        command.args(arguments);
        let (end, log) = self.run("ffprobe", command, hear).await?;
        match end {
            End::Itself(status) if !status.success() => {
                Err(fault::failure("ffprobe", status, &log, origin))
            }
            end => Ok(end),
        }
    }

    /// Runs a tool to its end, or to where it had said enough; gives the last lines of its log with that.
    async fn run(
        &self,
        tool: &str,
        command: Command,
        mut hear: impl FnMut(Heard<'_>) -> Verdict,
    ) -> Result<(End, Vec<Line>), Failure> {
        let process = Process {
            command,
            is_supervised: self.sandbox.is_supervised(),
            limits: self.limits,
            writes_in: self.sandbox.writes.then(|| self.sandbox.home.clone()),
            stop: &self.stop,
        };
        let mut log = Tail::default();
        let hear = |said: Said<'_>| match said {
            Said::Answer(bytes) => hear(Heard::Answer(bytes)),
            Said::Log(bytes) => {
                log.feed(bytes, |line| {
                    hear(Heard::Log(line));
                });
                Verdict::GoOn
            }
        };
        let end = process.run(hear).await;
        let end =
            end.map_err(|error| Failure::worker(format!("{tool} cannot be run here: {error}")))?;
        match end {
            End::Stopped => Err(Failure::passing(format!("{tool} was stopped"))),
            End::Stalled => Err(stalled(tool, self.limits.stall, log)),
            End::Itself(_) | End::Enough => Ok((end, self.nameless(log.into_lines()))),
        }
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
}

/// What a tool of a job's says.
enum Heard<'a> {
    Answer(&'a [u8]),
    Log(&'a Line),
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
