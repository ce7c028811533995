//! Configuration: command line, environment, defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Passwords: a file with a line for each, made by `monitor password`.
    ///
    /// Without the file, a loopback address is open to everyone on this machine. On any other
    /// address the monitor makes up a password and writes it to its log.
    #[arg(long, env = "MONITOR_ACCESS", value_name = "FILE")]
    pub access: Option<PathBuf>,
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
        /// The role of the password
        role: PasswordRole,
    },
}

/// The role of a password.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PasswordRole {
    /// May see everything
    Reader,
    /// May see and change everything
    Operator,
}

impl From<PasswordRole> for Role {
    fn from(role: PasswordRole) -> Self {
        match role {
            PasswordRole::Reader => Self::Reader,
            PasswordRole::Operator => Self::Operator,
        }
    }
}

impl Config {
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
