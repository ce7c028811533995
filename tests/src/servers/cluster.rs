//! Three real nats-servers that keep three copies of everything.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use common::names::token::Token;

use crate::paths;
use crate::process::Daemon;
use crate::servers::broker::{Flush, configuration, refused, reload, with_users, write_users};
use crate::servers::ports::free_ports;

/// A cluster of a test's own, with the configuration that the farm ships, and a user for each role and each worker. Its
/// servers keep their ports and data after `kill -9`. At the end, the test fails if one of them has refused anything.
pub struct TestCluster {
    nodes: Vec<Node>,
    /// The workers that have users of their own.
    workers: Mutex<Vec<Token>>,
    /// Whether a server was killed, and so has cut off its clients.
    lost_clients: bool,
}

struct Node {
    server: Daemon,
    is_up: bool,
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
            text += &with_users();
            write_users(&folder, &[]);
            let configuration = folder.join("nats-server.conf");
            std::fs::write(&configuration, text).expect("a test's folder can be written");
            let server = spawn(&configuration, &folder);
            Node { server, is_up: true, folder, port, configuration }
        });
        Self {
            nodes: nodes.collect(),
            workers: Mutex::default(),
            lost_clients: false,
        }
    }

    /// The URLs of all servers, comma-separated.
    pub fn url(&self) -> String {
        self.url_as("")
    }

    /// The URLs for the user of a role.
    pub fn url_for(&self, role: &str) -> String {
        self.url_as(&format!("{role}:{role}@"))
    }

    /// The URLs for a worker, whose user may be no other worker.
    pub fn url_for_worker(&self, name: &str) -> String {
        let token: Token = name.parse().expect("a token");
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if !workers.contains(&token) {
            workers.push(token);
            for node in &self.nodes {
                write_users(&node.folder, &workers);
                if node.is_up {
                    reload(&node.server);
                }
            }
        }
        self.url_for(name)
    }

    fn url_as(&self, user: &str) -> String {
        let nodes = self.nodes.iter();
        let urls: Vec<String> = nodes
            .map(|node| format!("nats://{user}127.0.0.1:{}", node.port))
            .collect();
        urls.join(",")
    }

    /// Sends `kill -9` to the server of this name.
    pub fn kill(&mut self, name: &str) {
        self.lost_clients = true;
        let node = self.node(name);
        node.server.kill();
        node.is_up = false;
    }

    /// Starts the server again, with the same port and the same data.
    pub fn restart(&mut self, name: &str) {
        let node = self.node(name);
        node.server = spawn(&node.configuration, &node.folder);
        node.is_up = true;
    }

    fn node(&mut self, wanted: &str) -> &mut Node {
        let index = (0..Self::SIZE)
            .find(|index| name(*index) == wanted)
            .unwrap_or_else(|| panic!("no server is called {wanted}"));
        &mut self.nodes[index]
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let refused: Vec<String> = self
                .nodes
                .iter()
                .flat_map(|node| refused(&node.server, self.lost_clients))
                .collect();
            assert!(refused.is_empty(), "a role lacks rights: {refused:#?}");
        }
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
