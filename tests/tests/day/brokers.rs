//! Three brokers of one farm, as docs/guide/OPERATIONS.md makes them of the configuration that `producer setup` wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::paths;
use harness::process::Daemon;
use harness::servers::ports::free_ports;

/// The number of servers.
const SERVERS: usize = 3;

/// Where three servers of this machine listen.
pub(super) struct Places {
    clients: Vec<u16>,
    routes: Vec<u16>,
    http: Vec<u16>,
}

impl Places {
    pub(super) fn free() -> Self {
        let ports = free_ports(3 * SERVERS);
        let mut parts = ports.chunks(SERVERS).map(<[u16]>::to_vec);
        let mut next = || parts.next().expect("three of each");
        Self {
            clients: next(),
            routes: next(),
            http: next(),
        }
    }

    /// The options of `producer setup` for the first server.
    pub(super) fn of_first(&self) -> [String; 4] {
        [
            "--listen".to_owned(),
            address(self.clients[0]),
            "--http-port".to_owned(),
            self.http[0].to_string(),
        ]
    }

    /// Lets the farm file of the first machine name all three servers, and three copies of each stream.
    pub(super) fn name_in(&self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let one = format!("\"tls://{}\"", address(self.clients[0]));
        let all: Vec<String> = self
            .clients
            .iter()
            .map(|port| format!("tls://{}", address(*port)))
            .collect();
        let all = format!("\"{}\"", all.join(","));
        let changed = text
            .replace(&one, &all)
            .replacen("[broker]", "[broker]\nreplicas = 3", 1);
        assert_eq!(changed.matches(&all).count(), 2, "{text}");
        std::fs::write(file, changed).unwrap();
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The servers, and which of them run.
pub(super) struct Brokers {
    servers: Vec<(String, Option<Daemon>)>,
}

impl Brokers {
    /// Copies the folder that `producer setup` has made for each server, with a name, a cluster, and ports of its own, as
    /// all three are on this machine. Starts them.
    pub(super) fn start(folder: &Path, made: &Path, places: &Places) -> Self {
        let servers = (0..SERVERS).map(|nth| {
            let name = format!("n{}", nth + 1);
            let own = folder.join(&name);
            copy_folder(made, &own);
            let configuration = own.join("nats-server.conf");
            let text = std::fs::read_to_string(&configuration).unwrap();
            let text = with_own_places(&text, &own, places, nth);
            let routes: Vec<String> = places
                .routes
                .iter()
                .map(|port| format!("\"nats://{}\"", address(*port)))
                .collect();
            let cluster = format!(
                "\nserver_name: {name}\ncluster {{ name: farm, listen: \"{}\", routes: [{}] }}\n",
                address(places.routes[nth]),
                routes.join(", ")
            );
            std::fs::write(&configuration, text + &cluster).unwrap();
            let mut command = Command::new(paths::tool("nats-server"));
            command.arg("-c").arg(&configuration);
            let server = Daemon::start(&name, command, &own.join("output"));
            (name, Some(server))
        });
        Self {
            servers: servers.collect(),
        }
    }

    /// Ends the server of this name as a power cut does.
    pub(super) fn kill(&mut self, name: &str) {
        let found = self.servers.iter_mut().find(|(known, _)| known == name);
        let (_, server) = found.unwrap_or_else(|| panic!("no server is called {name}"));
        server.take().expect("it runs").kill();
    }
}

/// The configuration with this server's ports and files.
fn with_own_places(text: &str, own: &Path, places: &Places, nth: usize) -> String {
    let path = |name: &str| format!("\"{}\"", own.join(name).display());
    let of = |line: &str| -> Option<String> {
        let (key, _) = line.trim_start().split_once(':')?;
        let value = match key {
            "port" => places.clients[nth].to_string(),
            "http" => format!("\"{}\"", address(places.http[nth])),
            "store_dir" => path("data"),
            "cert_file" => path("server.pem"),
            "key_file" => path("server.key"),
            "log_file" => path("nats-server.log"),
            "pid_file" => path("nats-server.pid"),
            _ => return None,
        };
        Some(format!("{key}: {value}"))
    };
    let lines = text
        .lines()
        .map(|line| of(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to: PathBuf = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
