//! What the monitor is told: command line, environment, defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use common::broker::ConnectOptions;
use common::telemetry::LogFormat;

/// Shows an ffmpeg-easy farm on one live page.
#[derive(Clone, Debug, Parser)]
#[command(name = "monitor", version)]
pub struct Config {
    /// Address and port to serve the page on
    #[arg(
        long,
        env = "MONITOR_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// NATS servers, comma-separated
    #[arg(
        long,
        env = "NATS_URL",
        value_name = "URL",
        default_value = "nats://127.0.0.1:4222",
        hide_env_values = true
    )]
    pub nats: String,
    /// NATS credentials file
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream which this program makes first: 1, 3 or 5
    #[arg(long, env = "NATS_REPLICAS", value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
    /// What to log: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
    /// How to write it: text or json
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

impl Config {
    /// How to reach the broker.
    pub fn broker(&self) -> ConnectOptions {
        ConnectOptions {
            credentials: self.nats_creds.clone(),
            replicas: usize::from(self.replicas),
            ..ConnectOptions::new(&self.nats, "monitor")
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
}
