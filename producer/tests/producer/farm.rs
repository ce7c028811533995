//! A broker for each test, and the producer that is run against it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder, with or without a broker.
pub(crate) struct Farm {
    pub(crate) folder: TempDir,
    url: Option<String>,
    server: Option<Child>,
}

impl Drop for Farm {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// A tool of the build, or else the one in PATH.
pub(crate) fn tool(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    let built = target.join("tools/bin").join(name);
    if built.exists() { built } else { name.into() }
}

impl Farm {
    /// A folder without a broker.
    pub(crate) fn without_broker() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            url: None,
            server: None,
        }
    }

    /// A broker on a port of its own.
    pub(crate) fn start() -> Self {
        let mut farm = Self::without_broker();
        let folder = farm.folder.path();
        let server = Command::new(tool("nats-server"))
            .args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"])
            .arg(folder.join("jetstream"))
            .arg("--ports_file_dir")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is in target/tools/bin or PATH (tests/setup brings it)");
        let ports = folder.join(format!("nats-server_{}.ports", server.id()));
        farm.server = Some(server);
        let deadline = Instant::now() + PATIENCE;
        farm.url = Some(loop {
            let text = std::fs::read_to_string(&ports).unwrap_or_default();
            if let Ok(ports) = serde_json::from_str::<Value>(&text) {
                break ports["nats"][0].as_str().expect("a URL").to_owned();
            }
            assert!(Instant::now() < deadline, "nats-server does not start");
            std::thread::sleep(Duration::from_millis(10));
        });
        farm
    }

    /// The address of the broker.
    pub(crate) fn url(&self) -> &str {
        self.url.as_deref().expect("a farm with a broker")
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Makes a file that may hold video: its first bytes are those of a DVD's file.
    pub(crate) fn film(&self, name: &str, bytes: &[u8]) -> PathBuf {
        self.file(name, &[b"\0\0\x01\xba", bytes].concat())
    }

    /// Runs the producer in the folder.
    pub(crate) fn producer<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.run(self.command(arguments))
    }

    /// The command that runs the producer in the folder.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .stdin(Stdio::null());
        for variable in [
            "NATS_URL",
            "NATS_CREDS",
            "NATS_REPLICAS",
            "STORE_URL",
            "ACK_WAIT",
            "PRODUCER_CONFIG",
            "LOG_LEVEL",
            "LOG_FORMAT",
        ] {
            command.env_remove(variable);
        }
        if let Some(url) = &self.url {
            command.env("NATS_URL", url);
        }
        command
    }

    pub(crate) fn run(&self, mut command: Command) -> Ran {
        Ran::of(command.output().expect("the producer starts"))
    }
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Panics unless the exit code is 0.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
