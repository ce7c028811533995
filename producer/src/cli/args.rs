//! Options that every command has, and how their values are read.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use common::broker::{ConnectOptions, Replicas, Servers};
use common::names::location::Location;
use common::program::telemetry;
use common::program::telemetry::LogFormat;

/// Options that every command has. Each has an environment variable, and all but `--config` and `--farm` a key in the
/// file that `--config` names. The command line goes before the environment, the environment before this file, and this
/// file before the farm's.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Farm")]
pub(crate) struct CommonOptions {
    /// The farm's file [default: ~/.config/ffmpeg-easy/farm.toml, if it exists; `encode` needs it named]
    #[arg(long, global = true, value_name = "FILE", env = "FARM")]
    pub farm: Option<PathBuf>,
    /// NATS server of the farm, instead of the farm file's [default: nats://127.0.0.1:4222; `encode` starts its own]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "NATS_URL",
        hide_env_values = true
    )]
    pub nats: Option<Setting<Servers>>,
    /// NATS credentials file
    #[arg(long, global = true, value_name = "FILE", env = "NATS_CREDS")]
    pub nats_creds: Option<PathBuf>,
    /// Copies that a NATS cluster keeps of each stream, where this program creates it: 1, 3 or 5 [default: 1]
    #[arg(long, global = true, value_name = "N", env = "NATS_REPLICAS", value_parser = optional(str::parse::<Replicas>), hide_short_help = true)]
    pub replicas: Option<Setting<Replicas>>,
    /// Object store of the farm, e.g. s3://bucket/prefix: local files are uploaded to it
    #[arg(long, global = true, value_name = "LOCATION", env = "STORE_URL", value_parser = optional(Location::from_argument))]
    pub store: Option<Setting<Location>>,
    /// Lease of a claimed job, for lanes that this program creates: a worker must show a sign of life within it [default: 30s]
    #[arg(long, global = true, value_name = "TIME", env = "ACK_WAIT", value_parser = optional(ack_wait), hide_short_help = true)]
    pub ack_wait: Option<Setting<Duration>>,
    /// TOML file with defaults: nats, nats_creds, replicas, store, ack_wait, log_level, log_format
    #[arg(long, global = true, value_name = "FILE", env = "PRODUCER_CONFIG")]
    pub config: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug or trace [default: warn]
    #[arg(long, global = true, value_name = "LEVEL", env = "LOG_LEVEL", value_parser = optional(log_level))]
    pub log_level: Option<Setting<String>>,
    /// Format of the log: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT", env = "LOG_FORMAT")]
    pub log_format: Option<Setting<LogFormat>>,
}

/// The value of an option. An empty text gives no value: an empty environment variable counts as not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T>(Option<T>);

impl<T> Setting<T> {
    pub(crate) fn value(self) -> Option<T> {
        self.0
    }

    fn read<E: Display>(
        text: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Self, String> {
        match text {
            "" => Ok(Self(None)),
            text => read(text)
                .map(|value| Self(Some(value)))
                .map_err(|error| error.to_string()),
        }
    }
}

impl<T: FromStr<Err: Display>> FromStr for Setting<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::read(text, T::from_str)
    }
}

/// A parser of values that may be empty.
fn optional<T, E: Display>(
    read: fn(&str) -> Result<T, E>,
) -> impl Fn(&str) -> Result<Setting<T>, String> + Clone {
    move |text| Setting::read(text, read)
}

/// Reads `30s`, `2m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; expected e.g. 30s or 2m"))
}

pub(crate) fn ack_wait(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        wait if wait < ConnectOptions::SHORTEST_ACK_WAIT => Err("expected at least 1s".to_owned()),
        wait => Ok(wait),
    }
}

pub(crate) fn log_level(text: &str) -> Result<String, String> {
    telemetry::check_level(text).map(|()| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: CommonOptions,
    }

    #[test]
    fn passwords_are_not_printed() {
        let line = ["producer", "--nats", "nats://me:secret@a:4222"];
        let printed = format!("{:?}", Line::try_parse_from(line).expect("parsed"));
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
