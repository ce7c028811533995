//! A real nats-server, with the configuration that the farm ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Daemon, Signal};
use crate::{paths, poll};

/// When a broker flushes what it is about to acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Before it does, as the farm ships it.
    Always,
    /// Every two minutes, as nats-server does where nobody tells it otherwise.
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

/// A broker of a test's own. Its port and its store outlive `kill -9`.
pub struct TestBroker {
    server: Daemon,
    folder: PathBuf,
    settings: Settings,
    port: u16,
}

/// How a broker of a test differs from the shipped one.
#[derive(Clone, Copy)]
struct Settings {
    flush: Flush,
    /// Whether it has the users of `roles.conf`.
    roles: bool,
}

impl TestBroker {
    /// Starts a broker on a free port, with its store below `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::start_flushing(folder, Flush::Always).await
    }

    /// The same with the users of the shipped `roles.conf`, each with its name for a
    /// password.
    pub async fn start_with_roles(folder: &Path) -> Self {
        let settings = Settings {
            flush: Flush::Always,
            roles: true,
        };
        Self::start_set(folder, settings).await
    }

    /// The same, flushing otherwise than shipped.
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

    /// Its process number, for a look at what it uses.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its address for a user of `roles.conf`.
    pub fn url_for(&self, role: &str) -> String {
        format!("nats://{role}:{role}@127.0.0.1:{}", self.port)
    }

    /// The port of this machine that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`: whatever was not on disk is gone.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Stops it where it is: its connections stand, and it answers nobody.
    pub fn freeze(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.server.signal(Signal::CONT);
    }

    /// Has it end in good order.
    pub async fn stop(&mut self) {
        self.server.signal(Signal::TERM);
        self.server.wait().await;
    }

    /// Starts it again, on the same port and the same store.
    pub async fn restart(&mut self) {
        self.server = spawn(&self.folder, self.settings, Some(self.port));
        let ports = self
            .folder
            .join(format!("nats-server_{}.ports", self.server.id()));
        poll::until("nats-server to come back", async || read_port(&ports)).await;
    }
}

/// The shipped configuration, moved to a free port and another folder.
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

/// The port in the file that nats-server writes once it takes connections.
fn read_port(file: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}
