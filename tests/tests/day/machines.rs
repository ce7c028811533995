//! The machines of the farm: a home each, with the programs that are installed there.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::process::{Daemon, Ran, Signal, run};
use harness::{paths, poll, programs};
use serde_json::Value;

/// A machine: its home, and nothing else set.
pub(super) struct Machine {
    pub(super) home: PathBuf,
}

impl Machine {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        let home = folder.join(name);
        std::fs::create_dir(&home).unwrap();
        Self { home }
    }

    /// The farm file.
    pub(super) fn file(&self) -> PathBuf {
        self.home.join("config/ffmpeg-easy/farm.toml")
    }

    /// The worker that is installed here.
    pub(super) fn installed(&self) -> PathBuf {
        self.home.join("bin/worker")
    }

    /// Installs the worker, also over one that runs: under its name stands one whole program or the other.
    pub(super) fn install(&self) {
        let (program, new) = (self.installed(), self.home.join("bin/worker.new"));
        std::fs::create_dir_all(self.home.join("bin")).unwrap();
        std::fs::copy(paths::program("worker"), &new).unwrap();
        std::fs::rename(new, program).unwrap();
    }

    pub(super) fn command(&self, program: &str) -> Command {
        programs::command(program, &self.home)
    }

    /// Runs the producer to its end.
    pub(super) async fn producer<S: AsRef<str>>(&self, arguments: &[S]) -> Ran {
        let mut command = self.command("producer");
        command.args(arguments.iter().map(AsRef::as_ref));
        run(command).await
    }

    /// Starts the installed worker. It proves one encoder only, so that it starts quickly.
    pub(super) fn worker(&self, arguments: &[&str]) -> Daemon {
        let mut command = programs::at_home(&self.installed(), &self.home);
        command.envs(worker_environment(&self.home)).args(arguments);
        Daemon::start("worker", command, &self.home.join("worker.log"))
    }

    /// The live workers: the name of each, and its status.
    pub(super) async fn workers(&self) -> Option<Vec<(String, String)>> {
        let ran = self.producer(&["workers", "--json"]).await;
        let listed: Value = serde_json::from_str(&ran.stdout).ok()?;
        let of = |worker: &Value| {
            let word = |key: &str| worker[key].as_str().map(str::to_owned);
            Some((word("name")?, word("status")?))
        };
        listed.as_array()?.iter().map(of).collect()
    }
}

/// What the workers of the test have in their environment.
pub(super) fn worker_environment(home: &Path) -> [(&'static str, String); 4] {
    [
        (
            "XDG_CACHE_HOME",
            paths::shared_cache().display().to_string(),
        ),
        ("WORKER_ENCODERS", "libx264".to_owned()),
        (
            "WORKER_SCRATCH",
            home.with_file_name("scratch").display().to_string(),
        ),
        ("WORKER_MAX_JOBS", "1".to_owned()),
    ]
}

/// A machine that has joined with a name of its own, and its worker.
pub(super) struct Joined {
    name: String,
    machine: Machine,
    worker: Daemon,
}

impl Joined {
    /// Pastes the line that the first machine has printed for this one.
    pub(super) fn join(folder: &Path, name: &str, line: &str) -> Self {
        let machine = Machine::new(folder, name);
        machine.install();
        let token = line.strip_prefix("worker --join ").unwrap();
        let worker = machine.worker(&["--join", token]);
        Self {
            name: name.to_owned(),
            machine,
            worker,
        }
    }

    /// Upgrades the machine as the guide says: drain, wait, install, start, resume. `first` is the machine of the person.
    pub(super) async fn upgrade(&mut self, first: &Machine) {
        let name = self.name.as_str();
        first.producer(&["drain", name]).await.succeeded();
        self.machine.install();
        self.has_status(first, "drained").await;
        self.worker.signal(Signal::TERM);
        assert_eq!(
            self.worker.wait().await.code(),
            Some(0),
            "{}",
            self.worker.log()
        );
        self.worker = self.machine.worker(&[]);
        first.producer(&["resume", name]).await.succeeded();
        self.has_status(first, "ready").await;
    }

    pub(super) async fn has_status(&self, first: &Machine, wanted: &str) {
        poll::until(&format!("{} to be {wanted}", self.name), async || {
            let workers = first.workers().await?;
            workers
                .contains(&(self.name.clone(), wanted.to_owned()))
                .then_some(())
        })
        .await;
    }
}
