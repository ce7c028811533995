//! A real nats-server, with the configuration that the farm ships.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::broker::server::{HttpPort, Login, Role, ServerConfig, User, authorization};
use common::names::subject::INBOXES;
use common::names::token::Token;

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
            Self::Always => ServerConfig::SYNC,
            Self::Seldom => "\"2m\"",
        }
    }
}

/// The users of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Users {
    /// Everyone may do everything.
    Nobody,
    /// Those of a `roles.conf`.
    Shipped(PathBuf),
    /// One for each role, and one for each worker, with the rights that `producer setup` gives them. Who says nothing
    /// of a user is the admin.
    Named,
}

/// How long nats-server may take to read its configuration again.
const RELOAD: Duration = Duration::from_secs(20);

/// A broker of a test's own. It keeps its port and its data after `kill -9`.
pub struct TestBroker {
    server: Daemon,
    folder: PathBuf,
    settings: Settings,
    port: u16,
    /// The workers that have users of their own.
    workers: Mutex<Vec<Token>>,
    /// Whether the server runs.
    is_up: bool,
    /// Whether a fault of the broker may have cut off its clients.
    lost_clients: AtomicBool,
    /// Whether the test tries what users may not do.
    tries_rights: AtomicBool,
}

/// The differences of a test's broker from the shipped one.
#[derive(Clone)]
struct Settings {
    flush: Flush,
    users: Users,
}

impl TestBroker {
    /// Starts a broker on a free port, with its data below `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::start_flushing(folder, Flush::Always).await
    }

    /// Starts a broker with the users of the shipped `roles.conf`. The password of each user is its name.
    pub async fn start_with_roles(folder: &Path) -> Self {
        Self::start_with_roles_of(folder, &paths::repository().join("nats/roles.conf")).await
    }

    /// The same with the users of another file.
    pub async fn start_with_roles_of(folder: &Path, roles: &Path) -> Self {
        let settings = Settings {
            flush: Flush::Always,
            users: Users::Shipped(roles.to_owned()),
        };
        Self::start_set(folder, settings).await
    }

    /// Starts a broker with a user for each role and each worker, for clients that name theirs. At the end, the test
    /// fails if the broker has refused anything.
    pub async fn start_for_farm(folder: &Path, flush: Flush) -> Self {
        let users = Users::Named;
        Self::start_set(folder, Settings { flush, users }).await
    }

    /// Starts a broker that flushes otherwise than the shipped one.
    pub async fn start_flushing(folder: &Path, flush: Flush) -> Self {
        let users = Users::Nobody;
        Self::start_set(folder, Settings { flush, users }).await
    }

    async fn start_set(folder: &Path, settings: Settings) -> Self {
        let folder = folder.join("broker");
        std::fs::create_dir_all(&folder).expect("a test's folder can be written");
        let server = spawn(&folder, &settings, &[], None);
        let ports = folder.join(format!("nats-server_{}.ports", server.id()));
        let port = poll::until("nats-server to say where it listens", async || {
            read_port(&ports)
        })
        .await;
        Self {
            tries_rights: AtomicBool::new(matches!(settings.users, Users::Shipped(_))),
            server,
            folder,
            settings,
            port,
            workers: Mutex::default(),
            is_up: true,
            lost_clients: AtomicBool::new(false),
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The URL for the user of a role, where the broker has users.
    pub fn url_for(&self, role: &str) -> String {
        match &self.settings.users {
            Users::Nobody => self.url(),
            Users::Shipped(_) | Users::Named => {
                format!("nats://{role}:{role}@127.0.0.1:{}", self.port)
            }
        }
    }

    /// The URL for a worker, whose user may be no other worker.
    pub fn url_for_worker(&self, name: &str) -> String {
        if let (Users::Named, Ok(token)) = (&self.settings.users, name.parse::<Token>()) {
            let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            if !workers.contains(&token) {
                workers.push(token);
                write_users(&self.folder, &workers);
                if self.is_up {
                    reload(&self.server);
                }
            }
        }
        self.url_for(name)
    }

    /// The test tries what users may not do: the broker may refuse it.
    pub fn tries_rights(&self) {
        self.tries_rights.store(true, Ordering::Relaxed);
    }

    /// What the server's log says that it refused.
    pub fn refused(&self) -> Vec<String> {
        refused(&self.server, self.lost_clients.load(Ordering::Relaxed))
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
        self.is_up = false;
        self.lost_clients.store(true, Ordering::Relaxed);
    }

    /// Stops the process with a signal: connections stay, and no request is answered.
    pub fn freeze(&self) {
        self.server.signal(Signal::STOP);
        self.lost_clients.store(true, Ordering::Relaxed);
    }

    /// Continues the stopped process.
    pub fn thaw(&self) {
        self.server.signal(Signal::CONT);
    }

    /// Ends the broker with a signal, and waits until it has ended.
    pub async fn stop(&mut self) {
        self.server.signal(Signal::TERM);
        self.server.wait().await;
        self.is_up = false;
        self.lost_clients.store(true, Ordering::Relaxed);
    }

    /// Starts the broker again, with the same port and the same data.
    pub async fn restart(&mut self) {
        let workers = self
            .workers
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        self.server = spawn(&self.folder, &self.settings, workers, Some(self.port));
        self.is_up = true;
        let ports = self
            .folder
            .join(format!("nats-server_{}.ports", self.server.id()));
        poll::until("nats-server to come back", async || read_port(&ports)).await;
    }
}

/// The file of a broker's users, beside its configuration.
const USERS: &str = "users.conf";

/// The lines of a configuration that give a broker users. Who says nothing of a user is the admin.
pub(crate) fn with_users() -> String {
    format!("include {USERS}\nno_auth_user: admin\n")
}

/// Writes the users of a broker beside its configuration: one for each role, and one for each of these workers.
pub(crate) fn write_users(folder: &Path, workers: &[Token]) {
    std::fs::write(folder.join(USERS), users(workers)).expect("a test's folder can be written");
}

/// Has a server read its users again, and waits until it has.
pub(crate) fn reload(server: &Daemon) {
    let reloads = || {
        server
            .log()
            .matches("Reloaded server configuration")
            .count()
    };
    let (before, asked) = (reloads(), Instant::now());
    server.signal(Signal::HUP);
    while reloads() == before {
        assert!(asked.elapsed() < RELOAD, "{}", server.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a server's log says that it refused. The late answers of clients that were cut off meanwhile are left out.
pub(crate) fn refused(server: &Daemon, lost_clients: bool) -> Vec<String> {
    let log = server.log();
    // Only the connection that has got a question may answer.
    let is_late = |line: &str| {
        lost_clients && line.contains(&format!("Publish Violation - Subject \"{INBOXES}"))
    };
    let refused = log
        .lines()
        .filter(|line| line.contains("Violation") && !is_late(line));
    refused.map(str::to_owned).collect()
}

/// The shipped configuration, with another port and another folder.
pub(crate) fn configuration(folder: &Path, flush: Flush, port: Option<u16>) -> String {
    let config = ServerConfig {
        host: "127.0.0.1",
        port,
        http: HttpPort::Any,
        store: &folder.join("store"),
        sync: flush.interval(),
    };
    config.text()
}

/// A user for each role, and for each worker; the password of each is its name.
fn users(workers: &[Token]) -> String {
    let user = |role: Role, worker: Option<&Token>| {
        let name = worker.map_or(role.as_str(), Token::as_str);
        User {
            name: name.parse().expect("a token"),
            role,
            login: Login::Password(name.to_owned()),
            worker: worker.cloned(),
        }
    };
    let roles = Role::ALL.iter().map(|role| user(*role, None));
    let workers = workers.iter().map(|name| user(Role::Worker, Some(name)));
    authorization(&roles.chain(workers).collect::<Vec<_>>())
}

fn spawn(folder: &Path, settings: &Settings, workers: &[Token], port: Option<u16>) -> Daemon {
    let file = folder.join("nats-server.conf");
    let mut text = configuration(folder, settings.flush, port);
    let mut command = Command::new(paths::tool("nats-server"));
    match &settings.users {
        Users::Nobody => {}
        Users::Shipped(roles) => {
            text += &std::fs::read_to_string(roles).expect("the farm ships its roles");
            for role in Role::ALL {
                let name = format!("{}_PASSWORD", role.as_str().to_uppercase());
                command.env(name, role.as_str());
            }
        }
        Users::Named => {
            write_users(folder, workers);
            text += &with_users();
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

impl Drop for TestBroker {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.tries_rights.load(Ordering::Relaxed) {
            let refused = self.refused();
            assert!(refused.is_empty(), "a role lacks rights: {refused:#?}");
        }
    }
}

/// The port, from the file that nats-server writes when it accepts connections.
fn read_port(file: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(file).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}
