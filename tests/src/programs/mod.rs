//! The programs of the farm, as a person starts them.

pub mod monitor;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;

use crate::faults::stand_in::StandIn;
use crate::paths;
use crate::process::Daemon;

/// Variables of the shell that must not reach a test.
const FOREIGN: &[&str] = &[
    "FARM",
    "NATS_URL",
    "NATS_CREDS",
    "NATS_REPLICAS",
    "STORE_URL",
    "FFMPEG",
    "FFPROBE",
    "WORKER_NAME",
    "WORKER_ENCODERS",
    "WORKER_SCRATCH",
    "WORKER_ROOT",
    "WORKER_BUCKET",
    "WORKER_MAX_JOBS",
    "WORKER_METRICS",
    "WORKER_MAX_SIZE",
    "WORKER_MIN_SIZE",
    "WORKER_ONLY",
    "WORKER_PREFER",
    "WORKER_FFMPEG_READS",
    "WORKER_QUARANTINE_AFTER",
    "WORKER_QUARANTINE_REST",
    "WORKER_SANDBOX",
    "WORKER_SCHEDULE",
    "RETRY_AFTER",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "RUST_LOG",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "XDG_RUNTIME_DIR",
];

/// The command of a program of this workspace. `home` is its home folder, so its default files lie there.
pub fn command(program: &str, home: &Path) -> Command {
    at_home(&paths::program(program), home)
}

/// A shell that runs this script, with the programs of this workspace in its `PATH`.
pub fn shell(script: &str, home: &Path) -> Command {
    let mut command = at_home(&paths::tool("bash"), home);
    let programs = paths::program("producer");
    let programs = programs.parent().expect("it lies in a folder").to_owned();
    let inherited = paths::search_path();
    let folders = std::iter::once(programs).chain(std::env::split_paths(&inherited));
    let folders = std::env::join_paths(folders).expect("folders of PATH hold no separator");
    command.env("PATH", folders);
    command.args(["-euo", "pipefail", "-c", script]);
    command
}

/// As [`command`], of a program that lies elsewhere.
pub fn at_home(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
        .current_dir(home)
        .env("PATH", paths::search_path())
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("NO_COLOR", "1");
    command
}

/// The environment of a program whose clock is so many seconds ahead; behind if negative.
pub fn clock_off(seconds: i64) -> [(&'static str, String); 3] {
    // The program `faketime` would stand between the test and its child, so only its library is used.
    let library = Command::new(paths::tool("faketime"))
        .args(["-f", "+0s", "sh", "-c", r#"printf %s "$LD_PRELOAD""#])
        .output()
        .expect("faketime can be started");
    let library = String::from_utf8(library.stdout).expect("a path");
    [
        ("LD_PRELOAD", library),
        ("FAKETIME", format!("{seconds:+}s")),
        // The monotonic clock, which measures waits, stays right.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// A worker before it is started.
pub struct WorkerSetup {
    program: PathBuf,
    name: String,
    home: PathBuf,
    options: BTreeMap<&'static str, OsString>,
    roots: Vec<PathBuf>,
    environment: Vec<(&'static str, String)>,
    wrapper: Vec<String>,
}

impl WorkerSetup {
    pub(crate) fn new(name: &str, home: &Path, nats: &str) -> Self {
        Self {
            program: paths::program("worker"),
            name: name.to_owned(),
            home: home.to_owned(),
            options: BTreeMap::new(),
            roots: vec![home.to_owned(), paths::brought()],
            environment: Vec::new(),
            wrapper: Vec::new(),
        }
        .option("--nats", nats)
        .option("--name", name)
        .option("--scratch", home.join("scratch"))
        .option("--max-jobs", "1")
        .option("--ack-wait", "3s")
        .option("--drain-timeout", "0s")
    }

    /// Sets an option.
    #[must_use]
    pub fn option(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.options.insert(name, value.into());
        self
    }

    /// The folders below which the worker may read and write, instead of its home and the media of all tests.
    #[must_use]
    pub fn roots(mut self, folders: &[&Path]) -> Self {
        self.roots = folders.iter().map(|&folder| folder.to_owned()).collect();
        self
    }

    /// Restricts the worker to these encoders, so that it starts quickly.
    #[must_use]
    pub fn encoders(self, names: &str) -> Self {
        self.option("--encoders", names)
    }

    /// Sets another ffmpeg than the one in `PATH`.
    #[must_use]
    pub fn ffmpeg(self, stand_in: &StandIn) -> Self {
        self.option("--ffmpeg", stand_in.program())
            .option("--ffmpeg-reads", stand_in.needs())
    }

    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Starts this program, which may be of another build. It proves its encoders by itself.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        let cache = self.home.join("cache-of-another-build");
        program.clone_into(&mut self.program);
        self.environment([("XDG_CACHE_HOME", cache.display().to_string())])
    }

    /// Starts the worker by another program, e.g. one that sets limits.
    #[must_use]
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(ToString::to_string).collect();
        self
    }

    /// Sets a clock that is so many seconds ahead; behind if negative.
    #[must_use]
    pub fn clock_off(self, seconds: i64) -> Self {
        self.environment(clock_off(seconds))
    }

    /// Starts the worker, and does not wait until it is ready.
    pub fn spawn(self) -> Worker {
        let mut command = match self.wrapper.split_first() {
            None => at_home(&self.program, &self.home),
            Some((wrapper, arguments)) => {
                let mut command = at_home(wrapper.as_ref(), &self.home);
                command.args(arguments).arg(&self.program);
                command
            }
        };
        command.env("XDG_CACHE_HOME", paths::shared_cache());
        command.envs(self.environment);
        for (name, value) in self.options {
            command.arg(name).arg(value);
        }
        for root in &self.roots {
            command.arg("--root").arg(root);
        }
        let log = self.home.join(format!("worker-{}.log", self.name));
        let started = Timestamp::now();
        let process = Daemon::start(&format!("worker {}", self.name), command, &log);
        Worker {
            name: self.name,
            process,
            started,
        }
    }
}

/// A running worker.
pub struct Worker {
    pub name: String,
    pub process: Daemon,
    /// The time of the start. An earlier heartbeat is of another worker with the same name.
    pub started: Timestamp,
}
