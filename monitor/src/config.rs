//! Configuration: command line, environment, defaults.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use common::broker::{ConnectOptions, Replicas, Servers};
use common::names::location::Location;
use common::program::telemetry::LogFormat;

use crate::access::Role;

/// How long the monitor goes on reading the farm after the last viewer left: a page that is reloaded
/// finds everything ready.
const LINGER: Duration = Duration::from_secs(10);

/// Shows an ffmpeg-easy farm on one live page.
#[derive(Clone, Debug, Parser)]
#[command(name = "monitor", version, args_conflicts_with_subcommands = true)]
pub struct Config {
    /// A task instead of serving the page.
    #[command(subcommand)]
    pub task: Option<Task>,
    /// Address and port to serve the page on
    #[arg(
        long,
        env = "MONITOR_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// Who may come in: a file with a line for each, made by `monitor password` and `monitor token`.
    ///
    /// It is read again when it changes: whoever has no line any more is out. Without the file, a loopback address is
    /// open to everyone on this machine. On any other address the monitor makes up a password and writes it to its log.
    #[arg(long, env = "MONITOR_ACCESS", value_name = "FILE")]
    pub access: Option<PathBuf>,
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
    pub hosts: Vec<String>,
    /// Folder or bucket with files for new jobs: a path or s3://BUCKET/PREFIX
    #[arg(long, env = "STORE_URL", value_name = "URL", value_parser = Location::from_argument)]
    pub store: Option<Location>,
    /// NATS servers, comma-separated
    #[arg(
        long,
        env = "NATS_URL",
        value_name = "URL",
        default_value = Servers::DEFAULT,
        hide_env_values = true
    )]
    pub nats: Servers,
    /// NATS credentials file
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream that this program creates: 1, 3 or 5
    #[arg(long, env = "NATS_REPLICAS", value_name = "N", default_value = "1")]
    pub replicas: Replicas,
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
}

/// Tasks besides serving the page.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Read a password from standard input and print its line for the --access file
    Password {
        /// What the person may do
        role: RoleName,
        /// Name of the person; without one, the password is all that is asked for
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Make a token for a program, print it, and add its line to the --access file
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

    pub fn broker(&self) -> ConnectOptions {
        ConnectOptions {
            credentials: self.nats_creds.clone(),
            replicas: self.replicas,
            ..ConnectOptions::new(self.nats.clone(), "monitor")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Config::command().debug_assert();
    }

    #[test]
    fn passwords_are_not_printed() {
        let line = ["monitor", "--nats", "nats://me:secret@a:4222"];
        let printed = format!("{:?}", Config::try_parse_from(line).expect("parsed"));
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
