//! A tool as a child process, together with every process that it starts.
//!
//! On every system the tool leads a process group. On Linux a confined tool also has a [supervisor](crate::sandbox),
//! which kills processes that have left the group. The worker sends requests to the supervisor's standard input. The
//! end of that input tells the supervisor that the worker is gone.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

/// The byte that makes a supervisor ask its tool to end. The end of the input makes the supervisor kill the tool.
pub(crate) const ASK: u8 = b'e';

/// A running tool. Dropping this value kills the tool and every process that it started.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// The supervisor's standard input.
    supervisor: Option<ChildStdin>,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Child {
    /// Starts a tool, directly or behind its supervisor.
    ///
    /// # Errors
    /// If the tool cannot be started.
    pub(crate) fn spawn(mut command: Command, is_supervised: bool) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        command.stdin(match is_supervised {
            true => std::process::Stdio::piped(),
            false => std::process::Stdio::null(),
        });
        // `kill_on_drop` also reaps the process. On Windows nothing else kills it. A supervisor must not be killed,
        // because it would leave the tool alive.
        command.kill_on_drop(!is_supervised);
        let mut process = command.spawn()?;
        #[cfg(unix)]
        let group = process
            .id()
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self {
            supervisor: process.stdin.take(),
            process,
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
    pub(crate) async fn end(mut self, grace: Duration) {
        self.ask().await;
        let _ = tokio::time::timeout(grace, self.process.wait()).await;
        self.kill();
        let _ = self.process.wait().await;
    }

    async fn ask(&mut self) {
        match &mut self.supervisor {
            // If the write fails, the supervisor has already ended.
            Some(supervisor) => drop(supervisor.write_all(&[ASK]).await),
            None => self.ask_group(),
        }
    }

    /// Kills the tool and every process that it started, without waiting for their end.
    pub(crate) fn kill(&mut self) {
        if self.supervisor.take().is_none() {
            self.kill_group();
        }
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

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
