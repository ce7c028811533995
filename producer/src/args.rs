//! Options that every command has, and how values are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use common::program::telemetry::LogFormat;

/// What every command takes. Each has an environment variable, and a key in the
/// file that `--config` names; the command line wins over both, the file loses.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Farm")]
pub(crate) struct CommonOptions {
    /// NATS server of the farm [default: nats://127.0.0.1:4222; `encode` starts its own]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "NATS_URL",
        hide_env_values = true
    )]
    pub nats: Option<String>,
    /// NATS credentials file
    #[arg(long, global = true, value_name = "FILE", env = "NATS_CREDS")]
    pub nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream which this program makes first: 1, 3 or 5 [default: 1]
    #[arg(long, global = true, value_name = "N", env = "NATS_REPLICAS", value_parser = clap::value_parser!(u8).range(1..=5), hide_short_help = true)]
    pub replicas: Option<u8>,
    /// Object store of the farm, e.g. s3://bucket/prefix: local files are uploaded to it
    #[arg(long, global = true, value_name = "LOCATION", env = "STORE_URL")]
    pub store: Option<String>,
    /// How long a claimed job may go without a sign of life, for lanes made now [default: 30s]
    #[arg(long, global = true, value_name = "TIME", env = "ACK_WAIT", value_parser = duration, hide_short_help = true)]
    pub ack_wait: Option<Duration>,
    /// TOML file with defaults: nats, nats_creds, replicas, store, ack_wait, log_level, log_format
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug or trace [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How to log: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Reads `30s`, `2m`.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; expected e.g. 30s or 2m"))
}
