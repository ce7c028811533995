//! A nats-server of our own: a free loopback port, a store in a temporary
//! folder, killed on drop, and able to come back where it was.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    port: u16,
    store: tempfile::TempDir,
    child: Option<Child>,
}

impl Server {
    /// Starts one and waits until it listens.
    pub(crate) fn start() -> Self {
        let store = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self {
            port: 0,
            store,
            child: None,
        };
        // Between finding a port free and binding it, another test may take it.
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

    /// Kills it as a power cut would.
    #[allow(dead_code, reason = "the showcase never does")]
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child");
            child.wait().expect("our own child");
        }
    }

    /// Starts it again, on the same port and store.
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

/// From PATH, or where tests/setup puts it.
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
