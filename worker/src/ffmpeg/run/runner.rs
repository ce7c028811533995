//! Runs ffmpeg and ffprobe for jobs: confined, watched, and with failures classified.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use common::job::failure::{Doubt, Failure};
use common::job::progress::EncodeProgress;
use common::spans;
use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::ffmpeg::Tools;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::line::{Line, Lines, without_address};
use crate::ffmpeg::run::process::{End, Limits, Output, Process, Verdict};
use crate::ffmpeg::run::progress::{ProgressReader, advanced};
use crate::ffmpeg::run::tail::Tail;
use crate::sandbox::Sandbox;
use crate::sandbox::resources::Resources;

/// The largest accepted answer of ffprobe. No sane file needs more.
const ANSWER_BYTES: usize = 16 << 20;

/// Options that make ffmpeg print the level of each log line, and its progress every half second.
const PROGRESS: [&str; 7] = [
    "-loglevel",
    "level+warning",
    "-progress",
    "pipe:1",
    "-nostats",
    "-stats_period",
    "0.5",
];

/// A report of a running ffmpeg.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    Progress(EncodeProgress),
    /// A parsed line of its log.
    Log(&'a str),
}

/// A line that ffprobe prints.
#[derive(Clone, Copy, Debug)]
pub enum Printed<'a> {
    /// A line of its answer, from standard output.
    Answer(&'a str),
    /// A line of its log, from standard error.
    Log(&'a str),
}

/// Runs the tools for one job.
#[derive(Clone, Debug)]
pub struct Runner {
    pub tools: Tools,
    pub sandbox: Sandbox,
    pub limits: Limits,
    /// Ends a running tool. The failure that follows has the fault `passing`. To learn whether the tool was stopped,
    /// ask the token and not the failure.
    pub stop: CancellationToken,
}

/// The result of a successful ffmpeg run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The last progress report.
    pub progress: EncodeProgress,
    /// The errors that ffmpeg logged although it succeeded.
    pub complaints: Complaints,
    /// Wall time.
    pub elapsed: Duration,
}

impl Runner {
    /// A runner whose tools may write in a folder, which is also their home.
    #[must_use]
    pub fn writing(&self, folder: PathBuf) -> Self {
        let mut runner = self.clone();
        runner.sandbox.home = folder;
        runner.sandbox.writes = true;
        runner
    }

    /// A runner whose tools may also read this file.
    #[must_use]
    pub fn reading(&self, file: &Path) -> Self {
        let mut runner = self.clone();
        runner.sandbox.read.push(file.to_owned());
        runner
    }

    /// The command line of [`Self::ffmpeg`], quoted for a shell. Addresses of this worker become `input`.
    pub fn command_line(&self, arguments: &[OsString]) -> String {
        let program = [self.tools.ffmpeg.as_os_str()];
        let own = PROGRESS.map(OsStr::new);
        let words = program
            .into_iter()
            .chain(own)
            .chain(arguments.iter().map(OsString::as_os_str));
        let words: Vec<String> = words
            .map(|word| without_address(&word.to_string_lossy()))
            .collect();
        let words = words.iter().map(String::as_str);
        shlex::Quoter::new()
            .allow_nul(true)
            .join(words)
            .unwrap_or_default()
    }

    /// Runs ffmpeg to its end. `on_sign` gets a progress report about twice a second, and every log line.
    ///
    /// # Errors
    /// If ffmpeg fails, stalls or is stopped.
    pub async fn ffmpeg(
        &self,
        arguments: &[OsString],
        origin: Origin,
        mut on_sign: impl FnMut(Sign<'_>),
    ) -> Result<Finished, Failure> {
        let started = Instant::now();
        let mut lines = Lines::default();
        let mut reader = ProgressReader::default();
        let mut last = EncodeProgress::default();
        let mut complaints = Complaints::default();
        let mut command = self.sandbox.command(&self.tools.ffmpeg);
        command.args(PROGRESS).args(arguments);
        let on_output = |output: ParsedOutput<'_>| {
            let mut verdict = Verdict::GoOn;
            match output {
                ParsedOutput::Answer(bytes) => lines.feed(bytes, |line| {
                    if let Some(now) = reader.line(line) {
                        if advanced(&last, &now) {
                            verdict = Verdict::GotOn;
                        }
                        last = now;
                        on_sign(Sign::Progress(now));
                    }
                }),
                ParsedOutput::Log(line) => {
                    complaints.note(line);
                    on_sign(Sign::Log(&line.text));
                }
            }
            verdict
        };
        let (end, log) = self.run("ffmpeg", command, on_output).await?;
        if let End::Itself(status) = end
            && !status.success()
        {
            return Err(self.failed("ffmpeg", status, &log, origin));
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

    /// Runs ffmpeg to its end, and returns what it writes to standard output. `None` if that is more than `most` bytes.
    ///
    /// # Errors
    /// If ffmpeg fails, stalls or is stopped.
    pub async fn ffmpeg_answer(
        &self,
        arguments: &[OsString],
        origin: Origin,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let mut answer = Vec::new();
        let mut command = self.sandbox.command(&self.tools.ffmpeg);
        command.args(["-loglevel", "level+error", "-nostats"]);
        command.args(arguments);
        let on_output = |output: ParsedOutput<'_>| match output {
            ParsedOutput::Answer(bytes) if answer.len() + bytes.len() > most => Verdict::Enough,
            ParsedOutput::Answer(bytes) => {
                answer.extend_from_slice(bytes);
                Verdict::GotOn
            }
            ParsedOutput::Log(_) => Verdict::GoOn,
        };
        let (end, log) = self.run("ffmpeg", command, on_output).await?;
        match end {
            End::Itself(status) if !status.success() => {
                Err(self.failed("ffmpeg", status, &log, origin))
            }
            End::Enough => Ok(None),
            _ => Ok(Some(answer)),
        }
    }

    /// Runs ffprobe to its end, and returns its output.
    ///
    /// # Errors
    /// If ffprobe fails, stalls or is stopped. If the output is longer than `ANSWER_BYTES`, the input is at fault.
    pub async fn ffprobe(
        &self,
        arguments: &[OsString],
        origin: Origin,
    ) -> Result<Vec<u8>, Failure> {
        let mut answer = Vec::new();
        let on_output = |output: ParsedOutput<'_>| match output {
            ParsedOutput::Answer(bytes) if answer.len() + bytes.len() > ANSWER_BYTES => {
                Verdict::Enough
            }
            ParsedOutput::Answer(bytes) => {
                answer.extend_from_slice(bytes);
                Verdict::GotOn
            }
            ParsedOutput::Log(_) => Verdict::GoOn,
        };
        match self.run_ffprobe(arguments, origin, on_output).await? {
            End::Enough => Err(Failure::input(format!(
                "this file's list of tracks, chapters and tags is longer than {} MiB",
                ANSWER_BYTES >> 20
            ))),
            _ => Ok(answer),
        }
    }

    /// Runs ffprobe to its end, and passes on every line that it prints.
    ///
    /// # Errors
    /// If ffprobe fails, stalls or is stopped.
    pub async fn ffprobe_lines(
        &self,
        arguments: &[OsString],
        origin: Origin,
        mut on_line: impl FnMut(Printed<'_>),
    ) -> Result<(), Failure> {
        let mut lines = Lines::default();
        let on_output = |output: ParsedOutput<'_>| match output {
            ParsedOutput::Answer(bytes) => {
                lines.feed(bytes, |line| on_line(Printed::Answer(line)));
                Verdict::GotOn
            }
            ParsedOutput::Log(line) => {
                on_line(Printed::Log(&line.text));
                Verdict::GoOn
            }
        };
        self.run_ffprobe(arguments, origin, on_output).await?;
        lines.finish(|line| on_line(Printed::Answer(line)));
        Ok(())
    }

    async fn run_ffprobe(
        &self,
        arguments: &[OsString],
        origin: Origin,
        on_output: impl FnMut(ParsedOutput<'_>) -> Verdict,
    ) -> Result<End, Failure> {
        let mut command = self.sandbox.command(&self.tools.ffprobe);
        command.args(arguments);
        let (end, log) = self.run("ffprobe", command, on_output).await?;
        match end {
            End::Itself(status) if !status.success() => {
                Err(self.failed("ffprobe", status, &log, origin))
            }
            end => Ok(end),
        }
    }

    /// Runs a tool until it ends, or until `on_output` has enough. Also returns the last lines of the tool's log.
    async fn run(
        &self,
        tool: &'static str,
        command: Command,
        mut on_output: impl FnMut(ParsedOutput<'_>) -> Verdict,
    ) -> Result<(End, Vec<Line>), Failure> {
        let process = Process {
            command,
            is_supervised: self.sandbox.is_supervised(),
            addresses: &self.sandbox.connects,
            limits: self.limits,
            writes_in: self.sandbox.writes.then(|| self.sandbox.home.clone()),
            stop: &self.stop,
        };
        let mut log = Tail::default();
        let on_output = |output: Output<'_>| match output {
            Output::Answer(bytes) => on_output(ParsedOutput::Answer(bytes)),
            Output::Log(bytes) => {
                log.feed(bytes, |line| {
                    on_output(ParsedOutput::Log(line));
                });
                Verdict::GoOn
            }
        };
        let span = spans::step(tool);
        let end = process.run(on_output).instrument(span.clone()).await;
        let ended = match end {
            Ok(End::Stopped) => Err(Failure::passing(format!("{tool} was stopped"))),
            Ok(End::Overdue) => Err(overdue(tool, self.limits.longest.unwrap_or_default(), log)),
            Ok(End::Stalled) => Err(stalled(tool, self.limits.stall, log)),
            Ok(end @ (End::Itself(_) | End::Enough)) => Ok((end, self.nameless(log.into_lines()))),
            Err(error) => Err(Failure::worker(format!(
                "{tool} cannot be run here: {error}"
            ))),
        };
        match &ended {
            Ok((End::Itself(status), _)) if !status.success() => spans::fail(&span, status),
            Ok(_) => {}
            Err(failure) => spans::fail(&span, failure),
        }
        ended
    }

    /// The failure of a tool that did not succeed. If a bound of its sandbox ended it, the failure names the bound.
    fn failed(&self, tool: &str, status: ExitStatus, log: &[Line], origin: Origin) -> Failure {
        let failure = fault::failure(tool, status, log, origin);
        if !self.sandbox.is_supervised() {
            return failure;
        }
        let Resources { memory, file_size } = self.sandbox.resources;
        let size = |bytes: u64| match bytes >> 30 {
            0 => format!("{} MiB", bytes >> 20),
            _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
        };
        match (memory, file_size) {
            (_, Some(most)) if fault::is_file_too_large(status, log) => Failure::worker(format!(
                "{tool}: No space left: its file grew beyond {}, all the room for scratch files here",
                size(most)
            ))
            .with_log(failure.log),
            (Some(most), _) if fault::lacks_memory(log) => {
                let message = format!(
                    "{}; a run may use {} of memory here (--max-memory)",
                    failure.message,
                    size(most)
                );
                Failure { message, ..failure }
            }
            _ => failure,
        }
    }

    /// A log without the paths of the input and output, which do not help to explain a failure.
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

/// A piece of a tool's output, with the log split into lines.
enum ParsedOutput<'a> {
    Answer(&'a [u8]),
    Log(&'a Line),
}

fn overdue(tool: &str, after: Duration, log: Tail) -> Failure {
    let after = humantime::format_duration(Duration::from_secs(after.as_secs()));
    Failure::input(format!(
        "{tool} worked on this file for {after} and was ended: no run may take longer (--max-job-time)"
    ))
    .with_log(fault::texts(&log.into_lines()))
}

fn stalled(tool: &str, after: Duration, log: Tail) -> Failure {
    let after = humantime::format_duration(after);
    // The machine may be slow, or the file may be endless.
    Failure::in_doubt(
        Doubt::SecondWorker,
        format!("{tool} made no progress for {after} and was killed"),
    )
    .with_log(fault::texts(&log.into_lines()))
}
