//! A real nats-server, with the configuration that the farm ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Daemon;
use crate::{paths, poll};

/// A broker of a test's own. Its port and its store outlive `kill -9`.
pub struct TestBroker {
    server: Daemon,
    folder: PathBuf,
    port: u16,
}

impl TestBroker {
    /// Starts a broker on a free port, with its store below `folder`.
    pub async fn start(folder: &Path) -> Self {
        let folder = folder.join("broker");
        std::fs::create_dir_all(&folder).expect("a test's folder can be written");
        let server = spawn(&folder, None);
        let ports = folder.join(format!("nats-server_{}.ports", server.id()));
        let port = poll::until("nats-server to say where it listens", async || {
            read_port(&ports)
        })
        .await;
        Self {
            server,
            folder,
            port,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port of this machine that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`: whatever was not on disk is gone.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again, on the same port and the same store.
    pub async fn restart(&mut self) {
        self.server = spawn(&self.folder, Some(self.port));
        let ports = self
            .folder
            .join(format!("nats-server_{}.ports", self.server.id()));
        poll::until("nats-server to come back", async || read_port(&ports)).await;
    }
}

/// The shipped configuration, moved to a free port and another folder.
pub(crate) fn configuration(folder: &Path, port: Option<u16>) -> String {
    let shipped = paths::repository().join("nats/nats-server.conf");
    let shipped = std::fs::read_to_string(shipped).expect("the farm ships a configuration");
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    let store = format!("{:?}", folder.join("store").display().to_string());
    let mut moved = shipped;
    for (setting, value) in [
        ("port", port.as_str()),
        ("http_port", "-1"),
        ("store_dir", &store),
    ] {
        let line = moved
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{setting}:")))
            .unwrap_or_else(|| panic!("nats-server.conf sets {setting}"))
            .to_owned();
        moved = moved.replace(&line, &format!("{setting}: {value}"));
    }
    moved
}

fn spawn(folder: &Path, port: Option<u16>) -> Daemon {
    let file = folder.join("nats-server.conf");
    std::fs::write(&file, configuration(folder, port)).expect("a test's folder can be written");
    let mut command = Command::new(paths::tool("nats-server"));
    command
        .arg("-c")
        .arg(file)
        .arg("--ports_file_dir")
        .arg(folder);
    Daemon::start("nats-server", command, &folder.join("log"))
}

/// The port in the file that nats-server writes once it takes connections.
fn read_port(file: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}
