//! A nats-server of the test's own: on a free loopback port, with its data in a temporary folder. It is killed when
//! dropped, and can be started again with the same port and data.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    port: u16,
    store: tempfile::TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts a server, and waits until it accepts connections.
    pub(crate) fn start() -> Self {
        let store = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self {
            port: 0,
            store,
            child: None,
        };
        // Another test may take a free port before this server binds it.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            server.port = free.local_addr().expect("its address").port();
            drop(free);
            if server.try_up() {
                return server;
            }
        }
        panic!("nats-server does not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills the server, as a power cut does.
    #[allow(dead_code, reason = "the showcase never does")]
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child");
            child.wait().expect("our own child");
        }
    }

    /// Starts the server again, with the same port and data.
    #[allow(dead_code, reason = "the showcase never does")]
    pub(crate) fn restart(&mut self) {
        assert!(self.try_up(), "nats-server does not come back");
    }

    fn try_up(&mut self) -> bool {
        let mut child = Command::new(program())
            .args(["--jetstream", "--addr", "127.0.0.1", "--port"])
            .arg(self.port.to_string())
            .arg("--store_dir")
            .arg(self.store.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts: tests/setup installs it");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if child.try_wait().expect("our own child").is_some() {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                self.child = Some(child);
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The program in PATH, or where tests/setup installs it.
fn program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    );
    std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .chain([target.join("tools/bin")])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
        .expect("nats-server is in PATH or target/tools/bin: tests/setup installs it")
}
