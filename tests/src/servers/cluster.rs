//! Three real nats-servers that keep three copies of everything.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::paths;
use crate::process::Daemon;
use crate::servers::broker::{Flush, configuration};
use crate::servers::ports::free_ports;

/// A cluster of a test's own, with the configuration that the farm ships. Its servers keep their ports and data after
/// `kill -9`.
pub struct TestCluster {
    nodes: Vec<Node>,
}

struct Node {
    server: Daemon,
    folder: PathBuf,
    port: u16,
    configuration: PathBuf,
}

impl TestCluster {
    /// The number of servers.
    pub const SIZE: usize = 3;

    /// Starts the servers, with their data below `folder`. The servers may not have found each other yet.
    pub async fn start(folder: &Path) -> Self {
        let ports = free_ports(2 * Self::SIZE);
        let (clients, routes) = ports.split_at(Self::SIZE);
        let routes_to_all: Vec<String> = routes
            .iter()
            .map(|port| format!("\"nats://127.0.0.1:{port}\""))
            .collect();
        let nodes = clients.iter().zip(routes).enumerate().map(|(index, (&port, route))| {
            let folder = folder.join(name(index));
            std::fs::create_dir_all(&folder).expect("a test's folder can be written");
            let mut text = configuration(&folder, Flush::Always, Some(port));
            write!(
                text,
                "\nserver_name: {}\ncluster {{ name: farm, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
                name(index),
                routes_to_all.join(", ")
            )
            .expect("text takes text");
            let configuration = folder.join("nats-server.conf");
            std::fs::write(&configuration, text).expect("a test's folder can be written");
            let server = spawn(&configuration, &folder);
            Node { server, folder, port, configuration }
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// The URLs of all servers, comma-separated.
    pub fn url(&self) -> String {
        let urls: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("nats://127.0.0.1:{}", node.port))
            .collect();
        urls.join(",")
    }

    /// Sends `kill -9` to the server of this name.
    pub fn kill(&mut self, name: &str) {
        self.node(name).server.kill();
    }

    /// Starts the server again, with the same port and the same data.
    pub fn restart(&mut self, name: &str) {
        let node = self.node(name);
        node.server = spawn(&node.configuration, &node.folder);
    }

    fn node(&mut self, wanted: &str) -> &mut Node {
        let index = (0..Self::SIZE)
            .find(|index| name(*index) == wanted)
            .unwrap_or_else(|| panic!("no server is called {wanted}"));
        &mut self.nodes[index]
    }
}

fn name(index: usize) -> String {
    format!("n{}", index + 1)
}

fn spawn(configuration: &Path, folder: &Path) -> Daemon {
    let mut command = Command::new(paths::tool("nats-server"));
    command.arg("-c").arg(configuration);
    Daemon::start("nats-server", command, &folder.join("log"))
}
