//! The guard: runs one program, and stops it when the standard input of the guard closes.
//!
//! The producer holds the other end of that pipe. The pipe closes when the producer drops it, and when the producer is
//! killed. The guard then asks the program to stop (it closes its standard input, and sends SIGTERM on Unix), and kills
//! it after a grace period.
//!
//! Locks order the end of the programs of a killed producer: each guard holds its `--lock` as long as it runs. The guard
//! of the broker waits for `--after`, the lock of the worker's guard, so that the worker can release its jobs.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;

use common::say;

use crate::cli::args::duration;

/// How often the guard checks whether its program has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long a guard waits for the lock of another.
const LOCK_WAIT: Duration = Duration::from_secs(45);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// File to lock meanwhile
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// File whose lock must be free before the program is stopped
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// How long the program may take to stop
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    grace: Duration,
    /// The program and its arguments
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Runs the guard until its program has ended.
pub(crate) fn run(options: &Options) -> ExitCode {
    match guard(options) {
        Ok(code) => code,
        Err(why) => {
            say!("guard: {why}");
            ExitCode::FAILURE
        }
    }
}

fn guard(options: &Options) -> Result<ExitCode, String> {
    let _lock = options.lock.as_deref().map(take).transpose()?;
    let Some((program, arguments)) = options.command.split_first() else {
        return Err("no program".to_owned());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let closed = when_input_closes();
    loop {
        match closed.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            // The input has closed, or the watching thread has ended: no program stays unguarded.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                if let Some(file) = &options.after {
                    // After the wait, the program is stopped all the same.
                    let _ = take(file);
                }
                return stop(&mut child, options.grace);
            }
        }
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            // For the log: the program may have ended without a message.
            say!("guard: {} ended by itself: {status}", program.display());
            return Ok(exit_code(status));
        }
    }
}

fn when_input_closes() -> Receiver<()> {
    let (closed, when_closed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 64];
        while !matches!(input.read(&mut buffer), Ok(0) | Err(_)) {}
        // Fails only after the guard has ended.
        let _ = closed.send(());
    });
    when_closed
}

fn stop(child: &mut Child, grace: Duration) -> Result<ExitCode, String> {
    drop(child.stdin.take());
    terminate(child);
    let deadline = Instant::now() + grace;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(exit_code(status)),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                child.kill().map_err(|error| error.to_string())?;
                let status = child.wait().map_err(|error| error.to_string())?;
                return Ok(exit_code(status));
            }
        }
    }
}

#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The child has not been waited for, so its id is not reused.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// On other systems, a closed standard input is the only request to stop.
#[cfg(not(unix))]
fn terminate(_child: &Child) {}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    match status.code() {
        Some(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        None => ExitCode::FAILURE,
    }
}

/// Locks a file; waits while an earlier guard holds it.
fn take(path: &Path) -> Result<File, String> {
    let deadline = Instant::now() + LOCK_WAIT;
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| failed(&error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOOK);
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}
