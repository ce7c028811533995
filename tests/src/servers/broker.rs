//! A real nats-server, with the configuration that the farm ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Daemon, Signal};
use crate::{paths, poll};

/// When a broker flushes its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Before each acknowledgement, as the farm ships it.
    Always,
    /// Every two minutes, the default of nats-server.
    Seldom,
}

impl Flush {
    /// The value of nats-server's `sync_interval`.
    fn interval(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Seldom => "\"2m\"",
        }
    }
}

/// The users of the shipped `roles.conf`.
const ROLES: [&str; 5] = ["admin", "worker", "producer", "monitor", "reader"];

/// A broker of a test's own. It keeps its port and its data after `kill -9`.
pub struct TestBroker {
    server: Daemon,
    folder: PathBuf,
    settings: Settings,
    port: u16,
}

/// The differences of a test's broker from the shipped one.
#[derive(Clone, Copy)]
struct Settings {
    flush: Flush,
    /// Whether it has the users of `roles.conf`.
    roles: bool,
}

impl TestBroker {
    /// Starts a broker on a free port, with its data below `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::start_flushing(folder, Flush::Always).await
    }

    /// Starts a broker with the users of the shipped `roles.conf`. The password of each user is its name.
    pub async fn start_with_roles(folder: &Path) -> Self {
        let settings = Settings {
            flush: Flush::Always,
            roles: true,
        };
        Self::start_set(folder, settings).await
    }

    /// Starts a broker that flushes otherwise than the shipped one.
    pub async fn start_flushing(folder: &Path, flush: Flush) -> Self {
        let roles = false;
        Self::start_set(folder, Settings { flush, roles }).await
    }

    async fn start_set(folder: &Path, settings: Settings) -> Self {
        let folder = folder.join("broker");
        std::fs::create_dir_all(&folder).expect("a test's folder can be written");
        let server = spawn(&folder, settings, None);
        let ports = folder.join(format!("nats-server_{}.ports", server.id()));
        let port = poll::until("nats-server to say where it listens", async || {
            read_port(&ports)
        })
        .await;
        Self {
            server,
            folder,
            settings,
            port,
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The URL for a user of `roles.conf`.
    pub fn url_for(&self, role: &str) -> String {
        format!("nats://{role}:{role}@127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many messages clients have sent to it, by its own count.
    pub async fn received(&self) -> u64 {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ports = format!("nats-server_{}.ports", self.server.id());
        let text = std::fs::read_to_string(self.folder.join(ports)).expect("it has written them");
        let ports: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let url = ports["monitoring"][0].as_str().expect("it is monitored");
        let answer = reqwest::get(format!("{url}/varz"))
            .await
            .expect("it answers");
        let figures: serde_json::Value =
            serde_json::from_str(&answer.text().await.expect("an answer")).expect("JSON");
        figures["in_msgs"].as_u64().expect("a number")
    }

    /// Sends `kill -9`: data that was not on disk is lost.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Stops the process with a signal: connections stay, and no request is answered.
    pub fn freeze(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Continues the stopped process.
    pub fn thaw(&self) {
        self.server.signal(Signal::CONT);
    }

    /// Ends the broker with a signal, and waits until it has ended.
    pub async fn stop(&mut self) {
        self.server.signal(Signal::TERM);
        self.server.wait().await;
    }

    /// Starts the broker again, with the same port and the same data.
    pub async fn restart(&mut self) {
        self.server = spawn(&self.folder, self.settings, Some(self.port));
        let ports = self
            .folder
            .join(format!("nats-server_{}.ports", self.server.id()));
        poll::until("nats-server to come back", async || read_port(&ports)).await;
    }
}

/// The shipped configuration, with another port and another folder.
pub(crate) fn configuration(folder: &Path, flush: Flush, port: Option<u16>) -> String {
    let shipped = paths::repository().join("nats/nats-server.conf");
    let shipped = std::fs::read_to_string(shipped).expect("the farm ships a configuration");
    let port = port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
    let store = format!("{:?}", folder.join("store").display().to_string());
    let mut moved = shipped;
    for (setting, value) in [
        ("port", port.as_str()),
        ("http_port", "-1"),
        ("store_dir", &store),
        ("sync_interval", flush.interval()),
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

fn spawn(folder: &Path, settings: Settings, port: Option<u16>) -> Daemon {
    let file = folder.join("nats-server.conf");
    let mut text = configuration(folder, settings.flush, port);
    let mut command = Command::new(paths::tool("nats-server"));
    if settings.roles {
        let shipped = paths::repository().join("nats/roles.conf");
        text += &std::fs::read_to_string(shipped).expect("the farm ships its roles");
        for role in ROLES {
            let name = format!("{}_PASSWORD", role.to_uppercase());
            command.env(name, role);
        }
    }
    std::fs::write(&file, text).expect("a test's folder can be written");
    command
        .arg("-c")
        .arg(file)
        .arg("--ports_file_dir")
        .arg(folder);
    Daemon::start("nats-server", command, &folder.join("log"))
}

/// The port, from the file that nats-server writes when it accepts connections.
fn read_port(file: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}
