//! One run of ffmpeg for detection: bounded in time and in what it may say, and
//! gone with all its children afterwards.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

use crate::ffmpeg::run::unconfined::{Ran, Unconfined};
use crate::sandbox::child::Child;

/// Runs ffmpeg to its end, or for as long as patience lasts.
///
/// # Errors
/// Where it cannot be started or waited for.
pub(crate) async fn run(
    ffmpeg: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    patience: Duration,
) -> io::Result<Ran> {
    Unconfined::new(ffmpeg, patience)
        .run(arguments, |_| {})
        .await
}

/// An encode that is watched while it runs, packet by packet.
pub(crate) struct Watched {
    child: Child,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Watched {
    /// Starts an encode that writes [`super::test_encode::PACKETS`].
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(crate) fn start(ffmpeg: &Path, arguments: &[String]) -> io::Result<Self> {
        use tokio::io::AsyncBufReadExt;
        let mut child = spawn(ffmpeg, arguments, Stdio::null())?;
        let stdout = child.stdout();
        Ok(Self {
            child,
            lines: stdout.map(|stdout| BufReader::new(stdout).lines()),
        })
    }

    /// Waits for the next packet; `false` once there are no more.
    pub(crate) async fn packet(&mut self) -> bool {
        let Some(lines) = &mut self.lines else {
            return false;
        };
        while let Ok(Some(line)) = lines.next_line().await {
            if is_packet(&line) {
                return true;
            }
        }
        self.lines = None;
        false
    }

    /// Whether it ended by itself, and well. To be asked after the last packet.
    pub(crate) async fn succeeded(&mut self) -> bool {
        let ended = timeout(Duration::from_secs(1), self.child.wait()).await;
        matches!(ended, Ok(Ok(status)) if status.success())
    }

    /// Kills it and waits until it is gone.
    pub(crate) async fn end(self) {
        self.child.end(Duration::ZERO).await;
    }
}

/// Whether a line of the `framecrc` format describes a packet, and is neither
/// a comment nor what some encoder library prints of itself.
pub(crate) fn is_packet(line: &str) -> bool {
    let mut fields = line.split(',').map(str::trim);
    fields.next() == Some("0")
        && fields
            .next()
            .is_some_and(|timestamp| timestamp.parse::<i64>().is_ok())
}

/// Starts an ffmpeg that is not confined: it reads nothing that others made.
fn spawn(
    ffmpeg: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    stderr: Stdio,
) -> io::Result<Child> {
    let mut command = Command::new(ffmpeg);
    command
        .args(arguments)
        .env("AV_LOG_FORCE_NOCOLOR", "1")
        .stdout(Stdio::piped())
        .stderr(stderr);
    Child::spawn(command, false)
}

#[cfg(test)]
mod tests {
    use super::is_packet;

    #[test]
    fn packets_are_told_from_comments_and_chatter() {
        assert!(is_packet(
            "0,         -5,          1,        1,     4861, 0x4503681b"
        ));
        assert!(!is_packet("#dimensions 0: 1280x720"));
        assert!(!is_packet("POC     1 TId: 0 (IDR_W_RADL, I-SLICE, QP 21)"));
        assert!(!is_packet(""));
    }
}
