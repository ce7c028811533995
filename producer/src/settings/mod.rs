//! Which farm, and reaching it.

pub(crate) mod config_file;

use std::path::PathBuf;
use std::time::Duration;

use common::broker::{Broker, ConnectOptions};
use common::names::location::Location;
use common::names::printable::printable;
use common::program::telemetry::LogFormat;
use tokio::sync::OnceCell;

use crate::args;
use crate::args::CommonOptions;
use crate::exit::Error;
use crate::settings::config_file::ConfigFile;

/// Where the farm is looked for unless told otherwise.
const NATS: &str = "nats://127.0.0.1:4222";

/// Unreadable things that are named.
const NAMED: usize = 3;

/// The common options with the config file's defaults filled in, all parsed.
pub(crate) struct Settings {
    /// The broker, where one was named.
    pub nats: Option<String>,
    /// Its credentials.
    pub nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream.
    pub replicas: u8,
    /// The object store, where one was named.
    pub store: Option<Location>,
    /// The lease of lanes made by this program.
    pub ack_wait: Duration,
    /// What to log.
    pub log_level: String,
    /// How.
    pub log_format: LogFormat,
    /// The connection, once there is one.
    broker: OnceCell<Broker>,
}

impl Settings {
    /// Puts the options and their defaults together.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub(crate) fn new(options: CommonOptions) -> Result<Self, Error> {
        let file = match &options.config {
            Some(path) => ConfigFile::read(path)?,
            None => ConfigFile::default(),
        };
        let given = |option: Option<String>, default: Option<String>| {
            option
                .filter(|text| !text.is_empty())
                .or(default)
                .filter(|text| !text.is_empty())
        };
        let in_file = |key: &str, why: String| Error::usage(format!("config file: {key}: {why}"));
        let ack_wait = match (options.ack_wait, file.ack_wait) {
            (Some(wait), _) => wait,
            (None, Some(text)) => args::duration(&text).map_err(|why| in_file("ack_wait", why))?,
            (None, None) => ConnectOptions::ACK_WAIT,
        };
        if ack_wait < Duration::from_secs(1) {
            return Err(Error::usage("--ack-wait must be at least 1s"));
        }
        let replicas = options.replicas.or(file.replicas).unwrap_or(1);
        if !(1..=5).contains(&replicas) {
            return Err(in_file("replicas", "1, 3 or 5".to_owned()));
        }
        let log_format = match (options.log_format, file.log_format) {
            (Some(format), _) => format,
            (None, Some(text)) => text.parse().map_err(|why| in_file("log_format", why))?,
            (None, None) => LogFormat::default(),
        };
        Ok(Self {
            nats: given(options.nats, file.nats),
            nats_creds: options.nats_creds.or(file.nats_creds),
            replicas,
            store: given(options.store, file.store)
                .map(|text| Location::from_argument(&text))
                .transpose()
                .map_err(|error| Error::usage(format!("--store: {error}")))?,
            ack_wait,
            log_level: options
                .log_level
                .or(file.log_level)
                .unwrap_or_else(|| "warn".to_owned()),
            log_format,
            broker: OnceCell::new(),
        })
    }

    /// Connects to the farm, once.
    ///
    /// # Errors
    /// Where the broker is out of reach or will not do.
    pub(crate) async fn connect(&self) -> Result<Broker, Error> {
        let connect = async || {
            let url = self.nats.as_deref().unwrap_or(NATS);
            let mut options = ConnectOptions::new(url, "producer");
            options.credentials.clone_from(&self.nats_creds);
            options.ack_wait = self.ack_wait;
            options.replicas = usize::from(self.replicas);
            Broker::connect(&options).await
        };
        Ok(self.broker.get_or_try_init(connect).await?.clone())
    }

    /// What of the farm could not be read so far, in one line for people.
    pub(crate) fn unreadable(&self) -> Option<String> {
        let things = self.broker.get()?.unreadable();
        let first = things.first()?;
        let subjects = things
            .iter()
            .take(NAMED)
            .map(|thing| thing.subject.as_str());
        let subjects = subjects.collect::<Vec<_>>().join(", ");
        let more = if things.len() > NAMED { ", …" } else { "" };
        let things = match things.len() {
            1 => "1 thing".to_owned(),
            many => format!("{many} things"),
        };
        Some(printable(&format!(
            "{things} could not be read and left out: {subjects}{more}; the first because: {}",
            first.why
        )))
    }
}
