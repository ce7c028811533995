//! A tool as a child process, together with every process that it starts.
//!
//! On every system the tool leads a process group. On Linux a confined tool also has a [supervisor](crate::sandbox),
//! which kills processes that have left the group. The worker sends requests to the supervisor's standard input. The
//! end of that input tells the supervisor that the worker is gone.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

#[cfg(target_os = "linux")]
use tokio::io::AsyncWriteExt;
#[cfg(target_os = "linux")]
use tokio::net::unix::OwnedWriteHalf;
use tokio::process::{ChildStderr, ChildStdout, Command};
#[cfg(target_os = "linux")]
use tokio_util::sync::CancellationToken;

use super::address::Address;

/// The byte that makes a supervisor ask its tool to end. The end of the input makes the supervisor kill the tool.
#[cfg(target_os = "linux")]
pub(crate) const ASK: u8 = b'e';

/// How long killed processes may take to end. The kernel ends them at once, unless they wait for a drive or a device.
const LONGEST_END: Duration = Duration::from_secs(60);

/// A running tool. Dropping this value kills the tool and every process that it started.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// The worker's end of the supervisor's standard input.
    #[cfg(target_os = "linux")]
    supervisor: Option<OwnedWriteHalf>,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Child {
    /// Starts a tool, directly or behind its supervisor. A tool with a network of its own hands over a socket in it, at
    /// which these addresses are served from then on.
    ///
    /// # Errors
    /// If the tool cannot be started.
    pub(crate) fn spawn(
        mut command: Command,
        is_supervised: bool,
        addresses: &[Address],
    ) -> io::Result<Self> {
        command.stdin(Stdio::null());
        // `kill_on_drop` also reaps the process. On Windows nothing else kills it. A supervisor must not be killed,
        // because it would leave the tool alive.
        command.kill_on_drop(!is_supervised);
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(target_os = "linux")]
        let supervisor = is_supervised
            .then(|| connected(&mut command, addresses))
            .transpose()?;
        #[cfg(not(target_os = "linux"))]
        let _ = addresses;
        let process = command.spawn()?;
        #[cfg(unix)]
        let group = process
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self {
            process,
            #[cfg(target_os = "linux")]
            supervisor,
            #[cfg(unix)]
            group: group.filter(|_| !is_supervised),
        })
    }

    /// The tool's standard output; `None` after the first call.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// The tool's standard error; `None` after the first call.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// Waits until the tool has ended. If the tool has a supervisor, every process that the tool started is gone by
    /// then.
    ///
    /// # Errors
    /// If waiting fails.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Asks the tool to end, waits for the grace time, kills the remaining processes, and reaps the tool.
    ///
    /// # Errors
    /// If a killed process does not end. It waits in the kernel, most likely for a drive or a device. Its supervisor
    /// stays with it.
    pub(crate) async fn end(mut self, grace: Duration) -> io::Result<()> {
        self.ask().await;
        let _ = tokio::time::timeout(grace, self.process.wait()).await;
        self.kill();
        match tokio::time::timeout(LONGEST_END, self.process.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "it was killed {} seconds ago and has not ended, because it waits for a drive or a device: look at the \
                     drives and graphics cards of this machine",
                    LONGEST_END.as_secs()
                ),
            )),
        }
    }

    async fn ask(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(supervisor) = &mut self.supervisor {
            // If the write fails, the supervisor has already ended.
            let _ = supervisor.write_all(&[ASK]).await;
            return;
        }
        self.ask_group();
    }

    /// Kills the tool and every process that it started, without waiting for their end.
    pub(crate) fn kill(&mut self) {
        #[cfg(target_os = "linux")]
        if self.supervisor.take().is_some() {
            return;
        }
        self.kill_group();
    }

    #[cfg(unix)]
    fn ask_group(&self) {
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }

    #[cfg(unix)]
    fn kill_group(&mut self) {
        // A group keeps its number while any member lives, even after its leader has ended. Later the number may be
        // reused, so it is used only once.
        if let Some(group) = self.group.take() {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn ask_group(&mut self) {
        self.kill_group();
    }

    #[cfg(not(unix))]
    fn kill_group(&mut self) {
        let _ = self.process.start_kill();
    }
}

/// Gives the command one end of a socket as standard input, and returns the other end. Serves the addresses at the
/// socket that the tool hands over by it, until the supervisor has ended.
#[cfg(target_os = "linux")]
fn connected(command: &mut Command, addresses: &[Address]) -> io::Result<OwnedWriteHalf> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    command.stdin(std::os::fd::OwnedFd::from(theirs));
    let (incoming, outgoing) = tokio::net::UnixStream::from_std(ours)?.into_split();
    if let Some(address) = addresses.first().cloned() {
        tokio::spawn(async move {
            let ended = CancellationToken::new();
            while let Ok(Some(socket)) = handed_over(&incoming).await {
                address.listen(socket, ended.child_token());
            }
            ended.cancel();
        });
    }
    Ok(outgoing)
}

/// The next socket that is handed over. `None` if there will be no more.
#[cfg(target_os = "linux")]
async fn handed_over(
    incoming: &tokio::net::unix::OwnedReadHalf,
) -> io::Result<Option<std::net::TcpListener>> {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    let stream: &tokio::net::UnixStream = incoming.as_ref();
    let receive = || -> io::Result<Option<std::net::TcpListener>> {
        let mut byte = [0];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [io::IoSliceMut::new(&mut byte)];
        recvmsg(stream, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let sockets = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
            _ => None,
        });
        let socket = sockets.flatten().next();
        Ok(socket.map(std::net::TcpListener::from))
    };
    stream
        .async_io(tokio::io::Interest::READABLE, receive)
        .await
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
