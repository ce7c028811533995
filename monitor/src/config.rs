//! Configuration: command line, environment, the farm's file, defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use common::broker::{ConnectOptions, Replicas, Servers};
use common::names::location::Location;
use common::notify::secret::Secret;
use common::program::farm_file::{FarmFile, Program};
use common::program::join::{JoinError, Machine, join_at_start};
use common::program::telemetry::LogFormat;
use common::store::StoreSettings;

use crate::access::Role;

/// How long the monitor goes on reading the farm after the last viewer left: a page that is reloaded
/// finds everything ready.
const LINGER: Duration = Duration::from_secs(10);

/// Where the page is served, if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Examples for the long help.
const SERVE_EXAMPLES: &str = "\
Examples:
  monitor                                                          # on http://127.0.0.1:8080, open to this machine
  monitor --listen 0.0.0.0:8080 --access access.txt --host farm.example --tls-cert cert.pem --tls-key key.pem";
const PASSWORD_EXAMPLES: &str = "\
Example:
  monitor password operator --name anna < password.txt >> access.txt";
const TOKEN_EXAMPLES: &str = "\
Example:
  monitor token prometheus --role reader --access access.txt";

/// Shows an ffmpeg-easy farm on one live page.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "monitor",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = SERVE_EXAMPLES
)]
pub struct Config {
    /// A task instead of serving the page.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// Address and port to serve the page on [default: 127.0.0.1:8080]
    #[arg(long, env = "MONITOR_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Who may come in: a file with a line for each, made by `monitor password` and `monitor token`.
    ///
    /// It is read again when it changes: whoever has no line any more is out. Without the file, a loopback address is
    /// open to everyone on this machine. On any other address the monitor makes up a password and writes it to its log.
    #[arg(long, env = "MONITOR_ACCESS", value_name = "FILE")]
    access: Option<PathBuf>,
    /// File to append every change to, as a line of JSON: who changed what, when, and what came of it.
    ///
    /// Without the file, changes are written to the log.
    #[arg(long, env = "MONITOR_AUDIT", value_name = "FILE")]
    pub audit: Option<PathBuf>,
    /// Certificate to encrypt connections with: a PEM file, with its chain; read again when it changes
    #[arg(
        long,
        env = "MONITOR_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate: a PEM file
    #[arg(
        long,
        env = "MONITOR_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// Do not warn that connections are not encrypted
    #[arg(long, env = "MONITOR_PLAIN_HTTP")]
    pub plain_http: bool,
    /// Addresses of proxies in front of the monitor, comma-separated.
    ///
    /// Of requests that come through them, X-Forwarded-For says who sends them. Without this option, all people behind
    /// a proxy wait when one of them gives wrong passwords.
    #[arg(
        long = "proxy",
        env = "MONITOR_PROXIES",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    pub proxies: Vec<IpAddr>,
    /// Host names of the page, comma-separated; IP addresses and localhost always work
    #[arg(
        long = "host",
        env = "MONITOR_HOSTS",
        value_name = "NAME",
        value_delimiter = ','
    )]
    hosts: Vec<String>,
    /// Folder or bucket with files for new jobs: a path or s3://BUCKET/PREFIX
    #[arg(long, env = "STORE_URL", value_name = "URL", value_parser = Location::from_argument)]
    store: Option<Location>,
    /// The farm's file [default: ~/.config/ffmpeg-easy/farm.toml, if it exists]
    #[arg(long, env = "FARM", value_name = "FILE")]
    farm: Option<PathBuf>,
    /// Join a farm with the token that `producer setup` has printed (-: from standard input), then serve
    #[arg(long, value_name = "TOKEN")]
    join: Option<Secret>,
    /// NATS servers, comma-separated, instead of the farm file's broker [default: nats://127.0.0.1:4222]
    #[arg(long, env = "NATS_URL", value_name = "URL", hide_env_values = true)]
    nats: Option<Servers>,
    /// NATS credentials file
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream that this program creates: 1, 3 or 5 [default: 1]
    #[arg(long, env = "NATS_REPLICAS", value_name = "N")]
    replicas: Option<Replicas>,
    /// Log level: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
    /// Log format: text or json
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// How long the monitor goes on reading the farm after the last viewer left. No option: tests shorten it.
    #[arg(skip = LINGER)]
    pub linger: Duration,
    /// What the farm's file says.
    #[arg(skip)]
    file: FarmFile,
}

/// Tasks besides serving the page.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Read a password from standard input and print its line for the --access file
    #[command(after_long_help = PASSWORD_EXAMPLES)]
    Password {
        /// What the person may do
        role: RoleName,
        /// Name of the person; without one, the password is all that is asked for
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Make a token for a program, print it, and add its line to the --access file
    #[command(after_long_help = TOKEN_EXAMPLES)]
    Token {
        /// Name of the program
        name: String,
        /// What the program may do
        #[arg(long, value_name = "ROLE")]
        role: RoleName,
        /// File to add the line to; the line alone lets nobody in who has not the token
        #[arg(long, env = "MONITOR_ACCESS", value_name = "FILE")]
        access: PathBuf,
    },
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Manual {
        /// Folder for the pages
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// What a person or program may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleName {
    /// May see everything
    Reader,
    /// May see and change everything
    Operator,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Reader => Self::Reader,
            RoleName::Operator => Self::Operator,
        }
    }
}

impl Config {
    /// The certificate and its key.
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// Whether somebody else encrypts, or nobody has to.
    pub(crate) fn is_plain_on_purpose(&self) -> bool {
        self.plain_http || !self.proxies.is_empty()
    }

    /// Joins a farm, if the command line says so, and reads the farm's file.
    ///
    /// # Errors
    /// The token or the file cannot be used.
    pub fn load(&mut self) -> Result<(), JoinError> {
        if let Some(token) = &self.join {
            let machine = Machine::new(Program::Monitor);
            join_at_start(token, self.farm.as_deref(), &machine)?;
        }
        self.file = FarmFile::load(self.farm.as_deref())?;
        Ok(())
    }

    /// Address and port to serve the page on.
    pub fn listen(&self) -> SocketAddr {
        self.listen.or(self.file.monitor.listen).unwrap_or(LISTEN)
    }

    /// The file with the passwords.
    pub fn access(&self) -> Option<&Path> {
        let file = &self.file.monitor;
        self.access.as_deref().or(file.access.as_deref())
    }

    /// The host names of the page.
    pub fn hosts(&self) -> &[String] {
        if self.hosts.is_empty() {
            &self.file.monitor.hosts
        } else {
            &self.hosts
        }
    }

    /// Where files for new jobs lie.
    pub fn store(&self) -> Option<&Location> {
        self.store.as_ref().or(self.file.store.url.as_ref())
    }

    /// How to reach stores.
    pub fn store_settings(&self) -> StoreSettings {
        self.file.store.settings()
    }

    /// How to reach the broker.
    pub fn broker(&self) -> ConnectOptions {
        let (servers, credentials) = (self.nats.clone(), self.nats_creds.clone());
        let mut options = self
            .file
            .connect(Program::Monitor, servers, credentials, "monitor");
        options.replicas = self.replicas.unwrap_or(options.replicas);
        options
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use common::testing::{documents, help};

    use super::*;

    fn parse(words: &[String]) -> Result<(), clap::Error> {
        Config::try_parse_from(words).map(|_| ())
    }

    #[test]
    fn the_command_line_is_sound() {
        Config::command().debug_assert();
    }

    #[test]
    fn commands_in_documents_are_commands_of_the_program() {
        let lines = documents::command_lines("monitor");
        assert!(lines.len() > 4, "{lines:?}");
        let mut wrong = help::refused(&lines, parse);
        wrong.extend(help::unknown_in_prose(&Config::command()));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_command_has_an_example_that_is_one() {
        let wrong = help::refused(&help::examples(&Config::command()), parse);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(
            help::without_example(&Config::command()),
            Vec::<String>::new()
        );
    }

    #[test]
    fn passwords_are_not_printed() {
        let line = ["monitor", "--nats", "nats://me:hunter2@a:4222"];
        let printed = format!("{:?}", Config::try_parse_from(line).expect("parsed"));
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
