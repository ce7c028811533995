//! One run of ffmpeg for detection: in a process group of its own, bounded in
//! time and in what it may say, and gone with all its children afterwards.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout};

/// Bytes kept of each stream: the list of all filters takes 50 kB.
const KEPT: usize = 256 << 10;

/// How a run of ffmpeg ended, and what it said.
#[derive(Debug)]
pub(super) struct Ran {
    /// `None` where it was killed because its time was up.
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
}

impl Ran {
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs ffmpeg to its end, or for as long as patience lasts.
///
/// # Errors
/// Where it cannot be started or waited for.
pub(super) async fn run(
    ffmpeg: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    patience: Duration,
) -> io::Result<Ran> {
    let started = Instant::now();
    let mut group = Group::spawn(ffmpeg, arguments, Stdio::piped())?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let stdout = group.child.stdout.take();
    let stderr = group.child.stderr.take();
    let ended = {
        let waiting = async {
            let status = group.child.wait().await;
            // A grandchild that outlives ffmpeg would hold the pipes open.
            group.kill();
            status
        };
        let all = async {
            let (status, ..) =
                tokio::join!(waiting, keep(stdout, &mut out), keep(stderr, &mut err));
            status
        };
        timeout(patience, all).await
    };
    let status = match ended {
        Ok(status) => Some(status?),
        Err(_) => {
            group.end().await;
            None
        }
    };
    Ok(Ran {
        status,
        stdout: String::from_utf8_lossy(&out).into_owned(),
        stderr: String::from_utf8_lossy(&err).into_owned(),
        took: started.elapsed(),
    })
}

/// Reads a stream to its end, and keeps its beginning.
async fn keep(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&buffer[..length.min(room)]);
    }
}

/// An encode that is watched while it runs, packet by packet.
pub(super) struct Watched {
    group: Group,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Watched {
    /// Starts an encode that writes [`super::trial::PACKETS`].
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start(ffmpeg: &Path, arguments: &[String]) -> io::Result<Self> {
        use tokio::io::AsyncBufReadExt;
        let mut group = Group::spawn(ffmpeg, arguments, Stdio::null())?;
        let stdout = group.child.stdout.take();
        Ok(Self {
            group,
            lines: stdout.map(|stdout| BufReader::new(stdout).lines()),
        })
    }

    /// Waits for the next packet; `false` once there are no more.
    pub(super) async fn packet(&mut self) -> bool {
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
    pub(super) async fn succeeded(&mut self) -> bool {
        let ended = timeout(Duration::from_secs(1), self.group.child.wait()).await;
        matches!(ended, Ok(Ok(status)) if status.success())
    }

    /// Kills it and waits until it is gone.
    pub(super) async fn end(mut self) {
        self.group.end().await;
    }
}

/// Whether a line of the `framecrc` format describes a packet, and is neither
/// a comment nor what some encoder library prints of itself.
pub(super) fn is_packet(line: &str) -> bool {
    let mut fields = line.split(',').map(str::trim);
    fields.next() == Some("0")
        && fields
            .next()
            .is_some_and(|timestamp| timestamp.parse::<i64>().is_ok())
}

/// A child that leads a process group; dropping it kills the group.
struct Group {
    child: Child,
    #[cfg(unix)]
    leader: std::cell::Cell<Option<rustix::process::Pid>>,
}

impl Group {
    fn spawn(
        ffmpeg: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        stderr: Stdio,
    ) -> io::Result<Self> {
        let mut command = Command::new(ffmpeg);
        command
            .args(arguments)
            .env("AV_LOG_FORCE_NOCOLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        Ok(Self {
            #[cfg(unix)]
            leader: std::cell::Cell::new(
                child
                    .id()
                    .and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())),
            ),
            child,
        })
    }

    /// Kills the group, once: its number may go to others later.
    #[cfg(unix)]
    fn kill(&self) {
        if let Some(leader) = self.leader.take() {
            // An error says that nothing is left to be killed.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn kill(&self) {}

    async fn end(&mut self) {
        self.kill();
        let _ = self.child.kill().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
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
