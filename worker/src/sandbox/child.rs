//! A tool as a child process, together with all that it starts.
//!
//! Everywhere it leads a process group. On Linux a confined tool has a
//! [supervisor](crate::sandbox) besides, which takes down what has left the
//! group as well: it hears what to do by its standard input, and that this
//! worker is gone by the end of it.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

/// What a supervisor reads when its tool is to end by itself. Once nothing more
/// can come, it kills.
pub(crate) const ASK: u8 = b'e';

/// A tool that runs; dropping this kills it and all that it started.
pub(crate) struct Child {
    process: tokio::process::Child,
    /// Where the supervisor listens.
    supervisor: Option<ChildStdin>,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Child {
    /// Starts a tool on its own, or behind its supervisor.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(crate) fn spawn(mut command: Command, is_supervised: bool) -> io::Result<Self> {
        #[cfg(unix)]
        command.process_group(0);
        command.stdin(match is_supervised {
            true => std::process::Stdio::piped(),
            false => std::process::Stdio::null(),
        });
        // Reaps what is dropped; on Windows it is also what kills it. A supervisor that is killed kills nobody.
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

    /// What it prints, once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// What it complains of, once.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// Waits until it has ended. Behind a supervisor, nothing that it started
    /// is alive then.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Asks it to end, waits, kills what is left, and reaps it.
    pub(crate) async fn end(mut self, grace: Duration) {
        self.ask().await;
        let _ = tokio::time::timeout(grace, self.process.wait()).await;
        self.kill();
        let _ = self.process.wait().await;
    }

    async fn ask(&mut self) {
        match &mut self.supervisor {
            // Who does not listen has ended.
            Some(supervisor) => drop(supervisor.write_all(&[ASK]).await),
            None => self.ask_group(),
        }
    }

    /// Kills it and what it started; does not wait.
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
        // The group outlives its leader while any member lives, and its number is not reused before. It may be later.
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
