//! A farm that `producer setup` makes for a test.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::process::{Daemon, Ran, Signal, run};
use harness::servers::ports::free_ports;
use harness::{outside, paths, programs};
use serde_json::Value;
use tempfile::TempDir;

/// The home of the machine that makes the farm, and the homes of others. Ends the broker at the end.
pub(super) struct MadeFarm {
    folder: TempDir,
    listen: String,
    http: String,
}

impl MadeFarm {
    /// Nothing is made yet.
    pub(super) fn nothing() -> Self {
        let folder = paths::test_folder();
        let ports = free_ports(2);
        std::fs::create_dir(folder.path().join("home")).unwrap();
        Self {
            folder,
            listen: format!("127.0.0.1:{}", ports[0]),
            http: ports[1].to_string(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home of the machine that makes the farm.
    pub(super) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// The home of another machine.
    pub(super) fn other_home(&self, name: &str) -> PathBuf {
        let home = self.folder().join(name);
        std::fs::create_dir_all(&home).unwrap();
        home
    }

    /// The port on which the broker tells of itself.
    pub(super) fn http_port(&self) -> &str {
        &self.http
    }

    /// The farm file of a home.
    pub(super) fn file(home: &Path) -> PathBuf {
        home.join("config/ffmpeg-easy/farm.toml")
    }

    /// A file beside the broker's configuration.
    pub(super) fn of_broker(&self, name: &str) -> PathBuf {
        Self::file(&self.home()).with_file_name("broker").join(name)
    }

    /// `producer setup` with these options, on the ports of this test.
    pub(super) fn setup_command(&self, options: &[&str]) -> Command {
        let mut command = programs::command("producer", &self.home());
        command
            .args(["setup", "--listen", &self.listen, "--http-port", &self.http])
            .args(options);
        command
    }

    pub(super) async fn setup(&self, options: &[&str]) -> Ran {
        run(self.setup_command(options)).await
    }

    /// Runs the producer in a home, with nothing else set.
    pub(super) async fn producer(home: &Path, arguments: &[&str]) -> Ran {
        let mut command = programs::command("producer", home);
        command.args(arguments);
        run(command).await
    }

    /// Starts a worker in a home. It proves one encoder only, so that it starts quickly.
    pub(super) fn worker(home: &Path, arguments: &[&str]) -> Daemon {
        let mut command = programs::command("worker", home);
        command
            .env("XDG_CACHE_HOME", paths::shared_cache())
            .env("WORKER_ENCODERS", "libx264")
            .env("WORKER_SCRATCH", home.join("scratch"))
            .args(arguments);
        Daemon::start("worker", command, &home.join("worker.log"))
    }

    /// The names of the live workers.
    pub(super) async fn workers(&self) -> Option<Vec<String>> {
        let ran = Self::producer(&self.home(), &["workers", "--json"]).await;
        let listed: Value = serde_json::from_str(&ran.stdout).ok()?;
        let names = listed.as_array()?.iter();
        Some(
            names
                .filter_map(|worker| Some(worker["name"].as_str()?.to_owned()))
                .collect(),
        )
    }
}

impl Drop for MadeFarm {
    fn drop(&mut self) {
        for process in outside::processes_of(&self.home()) {
            if process.command.contains("nats-server") {
                process.signal(Signal::KILL);
            }
        }
    }
}
