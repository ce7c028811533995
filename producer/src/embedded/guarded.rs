//! A program behind a guard, as the producer sees it.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

use crate::cli::exit::Error;
use common::names::printable::printable;

/// A program that ends when this is dropped, or when this process dies.
pub(crate) struct Guarded {
    what: &'static str,
    guard: Child,
    /// The guard stops its program when this closes.
    hold: Option<ChildStdin>,
    log: PathBuf,
    /// Where the output of this program begins in the log.
    log_from: u64,
}

pub(crate) struct GuardPlan<'a> {
    /// Name of the program in messages.
    pub what: &'static str,
    pub program: &'a Path,
    /// Locked while the program runs.
    pub lock: PathBuf,
    /// Must be free before the program is stopped.
    pub after: Option<PathBuf>,
    pub grace: Duration,
    /// Receives the output of the program.
    pub log: PathBuf,
    pub fresh_log: bool,
}

impl Guarded {
    /// Starts a program behind a guard. `adjust` completes its command line
    /// and the environment, which the program inherits from the guard.
    pub(crate) fn start(
        plan: GuardPlan<'_>,
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
        let log_from = log.metadata().map_err(failed)?.len();
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
            log_from,
        })
    }

    /// Waits until the program ends by itself. The error gives the reason from its log. Safe to cancel.
    pub(crate) async fn ended(&mut self) -> Error {
        let _ = self.guard.wait().await;
        let why = why(&self.log, self.log_from)
            .map_or_else(String::new, |line| format!(": {}", printable(&line)));
        Error::out_of_reach(format!(
            "the {} ended{why} (log: {})",
            self.what,
            self.log.display()
        ))
    }

    /// Stops the program and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        drop(self.hold.take());
        if let Err(error) = self.guard.wait().await {
            tracing::warn!(what = self.what, %error, "could not wait for the end");
        }
    }
}

/// The last error in the log: the program's own, or else the guard's.
fn why(log: &Path, from: u64) -> Option<String> {
    let bytes = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(bytes.get(usize::try_from(from).ok()?..)?);
    let said = |marks: &[&str]| {
        text.lines().rev().find_map(|line| {
            let (_, rest) = marks.iter().find_map(|mark| line.split_once(mark))?;
            Some(rest.trim().to_owned())
        })
    };
    said(&["error: ", "[FTL] ", "[ERR] "]).or_else(|| said(&["guard: "]))
}
