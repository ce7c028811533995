//! The monitor's doors: who gets in, and what strangers can and cannot do. The monitor is a process of its own, so that
//! its memory, its files and its log can be looked at.

mod audit;
mod connections;
mod people;
mod strangers;
mod tls;

use std::path::PathBuf;
use std::process::Command;

use harness::poll;
use harness::process::Daemon;
use monitor::access::{Role, people as lines};
use serde_json::json;

use crate::client::{Answer, send};
use crate::server::Server;

/// A monitor that runs as a process of its own.
pub(crate) struct Program {
    pub(crate) daemon: Daemon,
    /// Where it listens, e.g. `127.0.0.1:40000`.
    pub(crate) address: String,
    /// Its access file: anna, who may steer, and the password `look it up` without a name for readers.
    pub(crate) access: PathBuf,
    pub(crate) server: Server,
    _folder: tempfile::TempDir,
}

impl Program {
    pub(crate) async fn start(options: &[&str]) -> Self {
        Self::start_with("", options).await
    }

    /// Started by a shell that gives this command first, e.g. `ulimit -n 256`.
    pub(crate) async fn start_with(command: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let access = folder.path().join("access.txt");
        std::fs::write(&access, [anna("steer the farm"), reader()].join("\n")).expect("written");
        let server = Server::start();
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("{command}\nexec \"$@\""))
            .args(["sh", env!("CARGO_BIN_EXE_monitor")])
            .args(["--nats", &server.url(), "--access"])
            .arg(&access)
            .args(options);
        if !options.contains(&"--listen") {
            shell.args(["--listen", "127.0.0.1:0"]);
        }
        let daemon = Daemon::start("monitor", shell, &folder.path().join("monitor.log"));
        let address = poll::until("the monitor to listen", async || {
            let log = daemon.log();
            let (_, found) = log.split_once("the page is at ")?;
            let (_, address) = found.lines().next()?.split_once("://")?;
            Some(address.trim().to_owned())
        })
        .await;
        Self {
            daemon,
            address,
            access,
            server,
            _folder: folder,
        }
    }

    pub(crate) async fn log_in(&self, name: Option<&str>, password: &str) -> Answer {
        let body = json!({ "name": name, "password": password });
        send(&self.address, "POST", "/api/v1/session", "", &body).await
    }

    /// The header with a new session of anna's.
    pub(crate) async fn anna(&self) -> String {
        session(&self.log_in(Some("anna"), "steer the farm").await)
    }

    /// Waits for a line of the log.
    pub(crate) async fn logged(&self, part: &str) -> String {
        poll::until(part, async || {
            let log = self.daemon.log();
            log.lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        })
        .await
    }
}

/// Anna's line of the access file.
fn anna(password: &str) -> String {
    lines::password_line(Role::Operator, Some("anna"), password).expect("hashed")
}

/// The readers' line of the access file.
fn reader() -> String {
    lines::password_line(Role::Reader, None, "look it up").expect("hashed")
}

/// The header with the session that an answer begins.
fn session(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut cookies = answer
        .head
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookies.next().expect("a cookie");
    format!(
        "Cookie: {}\r\n",
        cookie.split(';').next().expect("a cookie")
    )
}
