//! Runs ffmpeg for test encodes and for lists of its abilities, confined as for a job, so that what works here works
//! for jobs.
//!
//! The process is watched as a job's is. It is killed with all that it started if the time is up, if the token is
//! cancelled, or if the future is dropped.
//!
//! ```text
//! let ran = Trial::new(ffmpeg, sandbox, longest).run(&["-hide_banner", "-encoders"], |_| {}).await?;
//! ```
//!
//! To watch an endless encode, pass a token (`stopped_by`), count the lines of its output as they come, and cancel
//! the token after enough of them. `run` returns once the encode is gone.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::run::line::Lines;
use crate::ffmpeg::run::process::{End, Limits, Output, Process, Verdict};
use crate::ffmpeg::run::telling;
use crate::sandbox::Sandbox;

/// The number of bytes kept of each stream. The list of all filters takes 50 kB.
const KEPT: usize = 256 << 10;

/// An ffmpeg program for test runs.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) ffmpeg: PathBuf,
    pub(crate) sandbox: Sandbox,
    /// The time limit of one run.
    pub(crate) longest: Duration,
    /// Kills the running process.
    pub(crate) stop: CancellationToken,
}

/// How a run ended, and the beginning of its output.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` if the run was killed, because its time was up or its token was cancelled.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The log line that best explains the failure. `None` if no line explains anything.
    pub(crate) fn reason(&self) -> Option<String> {
        telling::reason(&self.stderr)
    }
}

impl Trial {
    pub(crate) fn new(ffmpeg: impl Into<PathBuf>, sandbox: Sandbox, longest: Duration) -> Self {
        Self {
            ffmpeg: ffmpeg.into(),
            sandbox,
            longest,
            stop: CancellationToken::new(),
        }
    }

    /// A copy whose runs are killed when this token is cancelled.
    pub(crate) fn stopped_by(&self, stop: CancellationToken) -> Self {
        Self {
            stop,
            ..self.clone()
        }
    }

    /// Runs ffmpeg to its end. `on_line` gets every line of standard output as soon as it arrives.
    ///
    /// # Errors
    /// If ffmpeg cannot be started, or if waiting fails.
    pub(crate) async fn run(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        mut on_line: impl FnMut(&str),
    ) -> io::Result<Ran> {
        let started = Instant::now();
        let mut command = self.sandbox.command(&self.ffmpeg);
        command.args(arguments);
        let process = Process {
            command,
            is_supervised: self.sandbox.is_supervised(),
            addresses: &self.sandbox.connects,
            limits: Limits {
                stall: self.longest,
                grace: Duration::ZERO,
                longest: None,
            },
            writes_in: None,
            stop: &self.stop,
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut lines = Lines::default();
        let on_output = |output: Output<'_>| {
            match output {
                Output::Answer(bytes) => {
                    keep(&mut stdout, bytes);
                    lines.feed(bytes, &mut on_line);
                }
                Output::Log(bytes) => keep(&mut stderr, bytes),
            }
            // The time limit alone ends the run, so output never counts as progress and is never too much.
            Verdict::GoOn
        };
        let end = process.run(on_output).await?;
        lines.finish(on_line);
        Ok(Ran {
            status: match end {
                End::Itself(status) => Some(status),
                End::Stopped | End::Stalled | End::Overdue | End::Enough => None,
            },
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            took: started.elapsed(),
        })
    }
}

/// Keeps the beginning of a stream.
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = KEPT - kept.len();
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(longest: Duration) -> Trial {
        let sandbox = Sandbox {
            wrapper: None,
            read: Vec::new(),
            home: std::env::temp_dir(),
            writes: false,
            connects: Vec::new(),
            resources: crate::sandbox::resources::Resources::default(),
            background: false,
        };
        Trial::new("/bin/sh", sandbox, longest)
    }

    #[tokio::test]
    async fn output_and_exit_status_are_returned() {
        let script = "echo one; echo two; echo '[error] No capable devices found' >&2; exit 3";
        let mut lines = Vec::new();
        let ran = shell(Duration::from_secs(60))
            .run(["-c", script], |line| lines.push(line.to_owned()))
            .await
            .expect("a shell");
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(ran.stdout, "one\ntwo\n");
        assert_eq!(ran.status.and_then(|status| status.code()), Some(3));
        assert!(!ran.succeeded());
        assert_eq!(ran.reason().as_deref(), Some("No capable devices found"));
    }

    #[tokio::test]
    async fn an_endless_run_is_killed_with_its_children() {
        let folder = tempfile::tempdir().expect("a folder");
        let child = folder.path().join("child");
        let script = format!(
            "sleep 600 & echo $! > {}; while :; do echo still; done",
            child.display()
        );
        let ran = shell(Duration::from_secs(2))
            .run(["-c", &script], |_| {})
            .await
            .expect("a shell");
        assert!(ran.status.is_none());
        assert_eq!(ran.stdout.len(), KEPT);
        let pid = std::fs::read_to_string(child).expect("a pid");
        let pid = pid
            .trim()
            .parse()
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let pid = pid.expect("a pid");
        let deadline = Instant::now() + Duration::from_secs(30);
        while rustix::process::test_kill_process(pid).is_ok() {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            if stat.is_ok_and(|stat| stat.contains(") Z ")) {
                break;
            }
            assert!(Instant::now() < deadline, "a grandchild lives");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_token_ends_a_run() {
        let stop = CancellationToken::new();
        let mut lines = 0;
        let ran = shell(Duration::from_secs(600))
            .stopped_by(stop.clone())
            .run(["-c", "while :; do echo packet; sleep 0.01; done"], |_| {
                lines += 1;
                if lines == 3 {
                    stop.cancel();
                }
            })
            .await
            .expect("a shell");
        assert!(ran.status.is_none());
        assert!(lines >= 3);
    }
}
