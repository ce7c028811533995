//! A program behind a guard, as the producer sees it.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

use crate::display::printable::printable;
use crate::exit::Error;

/// Bytes at the end of a log that are searched for its last line.
const TAIL: usize = 8192;

/// A program that ends when this is dropped, or when this process dies.
pub struct Guarded {
    what: &'static str,
    guard: Child,
    /// The guard stops its program when this closes.
    hold: Option<ChildStdin>,
    log: PathBuf,
}

/// How to guard a program.
pub struct Plan<'a> {
    /// What the program is, for messages.
    pub what: &'static str,
    /// The program.
    pub program: &'a Path,
    /// Held locked while the program runs.
    pub lock: PathBuf,
    /// Must be free before the program is stopped.
    pub after: Option<PathBuf>,
    /// How long it may take to stop.
    pub grace: Duration,
    /// Where its output goes.
    pub log: PathBuf,
    /// Whether a log of before is replaced.
    pub fresh_log: bool,
}

impl Guarded {
    /// Starts a program behind a guard. `adjust` completes its command line
    /// and the environment, which the program inherits from the guard.
    ///
    /// # Errors
    /// Where the guard cannot be started.
    pub fn start(
        plan: Plan<'_>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        adjust: impl FnOnce(&mut Command),
    ) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::out_of_reach(format!("cannot start the {}: {error}", plan.what))
        };
        let log = OpenOptions::new()
            .create(true)
            .write(true)
            .append(!plan.fresh_log)
            .truncate(plan.fresh_log)
            .open(&plan.log)
            .map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("guard").arg("--lock").arg(&plan.lock);
        if let Some(after) = &plan.after {
            command.arg("--after").arg(after);
        }
        command
            .arg("--grace")
            .arg(humantime::format_duration(plan.grace).to_string())
            .arg("--")
            .arg(plan.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log);
        // Ctrl-C is for this program, which stops the others in their order.
        #[cfg(unix)]
        command.process_group(0);
        #[cfg(windows)]
        {
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
            command.creation_flags(CREATE_NEW_PROCESS_GROUP);
        }
        adjust(&mut command);
        let mut guard = command.spawn().map_err(failed)?;
        Ok(Self {
            what: plan.what,
            hold: guard.stdin.take(),
            guard,
            log: plan.log,
        })
    }

    /// Waits until the program has ended of its own; says why, as far as its
    /// log tells. May be dropped and called anew.
    pub async fn ended(&mut self) -> Error {
        let _ = self.guard.wait().await;
        let last = last_line(&self.log);
        let why = last.map_or_else(String::new, |line| format!(": {}", printable(&line)));
        Error::out_of_reach(format!(
            "the {} ended{why} (log: {})",
            self.what,
            self.log.display()
        ))
    }

    /// Stops the program and waits until it is gone.
    pub async fn stop(mut self) {
        drop(self.hold.take());
        if let Err(error) = self.guard.wait().await {
            tracing::warn!(what = self.what, %error, "could not wait for the end");
        }
    }
}

fn last_line(log: &Path) -> Option<String> {
    let bytes = std::fs::read(log).ok()?;
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    String::from_utf8_lossy(tail)
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("error: ").to_owned())
}
