//! How children of the worker live and end: stand-ins for ffmpeg that hang, print rubbish, leave children of their own
//! behind, or reach for files that are not theirs.
#![cfg(unix)]

mod attacks;
mod bounds;
mod confined;
mod old_kernel;
mod supervised;
mod watched;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::job::failure::Failure;
use common::testing;
use tokio_util::sync::CancellationToken;
use worker::ffmpeg::Tools;
use worker::ffmpeg::run::Limits;
use worker::ffmpeg::run::fault::Origin;
use worker::ffmpeg::run::runner::{Finished, Runner};
use worker::sandbox::resources::Resources;
use worker::sandbox::{Sandbox, Wrapper};

/// A shell script in ffmpeg's place, run confined in a scratch folder.
pub(crate) struct StandIn {
    folder: tempfile::TempDir,
    scratch: tempfile::TempDir,
    runner: Runner,
}

impl StandIn {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scratch = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("ffmpeg");
        testing::executable(&program, &format!("#!/bin/sh\n{script}\n"));
        let runner = Runner {
            tools: Tools {
                ffmpeg: program.clone(),
                ffprobe: program,
            },
            sandbox: Sandbox {
                wrapper: Some(Wrapper::new(env!("CARGO_BIN_EXE_worker"))),
                read: Vec::new(),
                home: scratch.path().to_owned(),
                writes: true,
                connects: Vec::new(),
                resources: Resources::default(),
                background: false,
            },
            limits: Limits {
                stall: Duration::from_secs(30),
                grace: Duration::from_secs(2),
                longest: None,
            },
            stop: CancellationToken::new(),
        };
        Self {
            folder,
            scratch,
            runner,
        }
    }

    async fn run(&self) -> Result<Finished, Failure> {
        self.runner.ffmpeg(&[], Origin::Local, |_| {}).await
    }

    fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Waits until a script has written a process id into this file.
    async fn pid(&self, name: &str) -> rustix::process::Pid {
        let file = self.scratch(name);
        within(Duration::from_secs(10), || {
            let number = std::fs::read_to_string(&file).ok()?.trim().parse().ok()?;
            rustix::process::Pid::from_raw(number)
        })
        .await
    }
}

/// Polls until there is an answer.
async fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < limit, "nothing within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn gone(pid: rustix::process::Pid) {
    within(Duration::from_secs(5), || {
        // A process that has ended, and is not reaped by init yet, is gone as well.
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        let zombie = state.is_ok_and(|state| state.contains(") Z "));
        (zombie || rustix::process::test_kill_process(pid).is_err()).then_some(())
    })
    .await;
}
