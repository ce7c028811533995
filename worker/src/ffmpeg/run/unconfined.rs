//! ffmpeg for test encodes and lists: it reads nothing that others made, so nothing confines it.
//!
//! The process is watched as a job's is: a group of its own, killed with all that it started once its time is up, once
//! it is told to stop, or once nobody waits for it any more.
//!
//! ```text
//! let ran = Unconfined::new(ffmpeg, longest).run(&["-hide_banner", "-encoders"], |_| {}).await?;
//! ```
//!
//! To watch an encode that never ends, give it a token (`stopped_by`), count the lines of its output as they come, and
//! cancel the token when enough are there; `run` returns when the encode is gone.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ffmpeg::run::line::Lines;
use crate::ffmpeg::run::process::{End, Limits, Process, Said, Verdict};
use crate::ffmpeg::run::telling;

/// Bytes kept of each stream: the list of all filters takes 50 kB.
const KEPT: usize = 256 << 10;

/// An ffmpeg to try things out with.
#[derive(Clone, Debug)]
pub(crate) struct Unconfined {
    pub(crate) ffmpeg: PathBuf,
    /// How long one run may take.
    pub(crate) longest: Duration,
    /// Kills what runs.
    pub(crate) stop: CancellationToken,
}

/// How a run ended, and the beginning of what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` where it was killed: its time was up, or it was told to stop.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The line that says best why it failed; `None` where ffmpeg said nothing of use.
    pub(crate) fn reason(&self) -> Option<String> {
        telling::reason(&self.stderr)
    }
}

impl Unconfined {
    pub(crate) fn new(ffmpeg: impl Into<PathBuf>, longest: Duration) -> Self {
        Self {
            ffmpeg: ffmpeg.into(),
            longest,
            stop: CancellationToken::new(),
        }
    }

    /// The same, killed by a token.
    pub(crate) fn stopped_by(&self, stop: CancellationToken) -> Self {
        Self {
            stop,
            ..self.clone()
        }
    }

    /// Runs ffmpeg to its end; `heard` gets every line of its output as soon as it is there.
    ///
    /// # Errors
    /// Where it cannot be started or waited for.
    pub(crate) async fn run(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        mut heard: impl FnMut(&str),
    ) -> io::Result<Ran> {
        let started = Instant::now();
        let mut command = Command::new(&self.ffmpeg);
        command.args(arguments).env("AV_LOG_FORCE_NOCOLOR", "1");
        let process = Process {
            command,
            is_supervised: false,
            limits: Limits {
                stall: self.longest,
                grace: Duration::ZERO,
            },
            writes_in: None,
            stop: &self.stop,
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut lines = Lines::default();
        let hear = |said: Said<'_>| {
            match said {
                Said::Answer(bytes) => {
                    keep(&mut stdout, bytes);
                    lines.feed(bytes, &mut heard);
                }
                Said::Log(bytes) => keep(&mut stderr, bytes),
            }
            // However much it says, its time is limited.
            Verdict::GoOn
        };
        let end = process.run(hear).await?;
        lines.finish(heard);
        Ok(Ran {
            status: match end {
                End::Itself(status) => Some(status),
                End::Stopped | End::Stalled | End::Enough => None,
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

    fn shell(longest: Duration) -> Unconfined {
        Unconfined::new("/bin/sh", longest)
    }

    #[tokio::test]
    async fn what_it_says_and_how_it_ended_are_told() {
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
    async fn a_run_without_end_is_killed_in_time_with_what_it_started() {
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
    async fn a_token_ends_what_has_said_enough() {
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
