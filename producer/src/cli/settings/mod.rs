//! Which farm to use, and the connection to it.

mod config_file;

use std::path::PathBuf;
use std::time::Duration;

use common::broker::{Broker, ConnectOptions, Replicas, Servers};
use common::names::location::Location;
use common::names::printable::printable;
use common::program::telemetry::LogFormat;
use tokio::sync::OnceCell;

use crate::cli::args::{CommonOptions, Setting};
use crate::cli::exit::Error;
use crate::cli::settings::config_file::ConfigFile;

/// Unreadable messages that are named.
const NAMED: usize = 3;

/// The common options, with the defaults of the config file.
pub(crate) struct Settings {
    pub nats: Option<Servers>,
    pub nats_creds: Option<PathBuf>,
    pub replicas: Replicas,
    pub store: Option<Location>,
    pub ack_wait: Duration,
    pub log_level: String,
    pub log_format: LogFormat,
    /// Whether the command creates a farm on a broker that has none.
    sets_up: bool,
    /// Made by the first [`Settings::connect`].
    broker: OnceCell<Broker>,
}

impl Settings {
    /// Fills in the defaults of the config file.
    ///
    /// # Errors
    /// If the config file cannot be used.
    pub(crate) fn new(options: CommonOptions, sets_up: bool) -> Result<Self, Error> {
        fn given<T>(option: Option<Setting<T>>) -> Option<T> {
            option.and_then(Setting::value)
        }
        let file = match options.config {
            Some(path) => ConfigFile::read(&path)?,
            None => ConfigFile::default(),
        };
        let level = given(options.log_level).or(file.log_level);
        let format = given(options.log_format).or(file.log_format);
        let ack_wait = given(options.ack_wait).or(file.ack_wait);
        Ok(Self {
            nats: given(options.nats).or(file.nats),
            nats_creds: options.nats_creds.or(file.nats_creds),
            replicas: given(options.replicas)
                .or(file.replicas)
                .unwrap_or(Replicas::ONE),
            store: given(options.store).or(file.store),
            ack_wait: ack_wait.unwrap_or(ConnectOptions::ACK_WAIT),
            log_level: level.unwrap_or_else(|| "warn".to_owned()),
            log_format: format.unwrap_or_default(),
            sets_up,
            broker: OnceCell::new(),
        })
    }

    /// The connection to the farm; made once.
    ///
    /// # Errors
    /// If the broker is out of reach, too old or without JetStream.
    pub(crate) async fn connect(&self) -> Result<Broker, Error> {
        let connect = async || {
            let servers = self.nats.clone().unwrap_or_default();
            let mut options = ConnectOptions::new(servers, "producer");
            options.credentials.clone_from(&self.nats_creds);
            options.ack_wait = self.ack_wait;
            options.replicas = self.replicas;
            if self.sets_up {
                Broker::set_up(&options).await
            } else {
                Broker::connect(&options).await
            }
        };
        Ok(self.broker.get_or_try_init(connect).await?.clone())
    }

    /// A line about the messages on the broker that could not be read so far.
    pub(crate) fn unreadable(&self) -> Option<String> {
        let unreadable = self.broker.get()?.unreadable();
        let first = unreadable.first()?;
        let subjects = unreadable
            .iter()
            .take(NAMED)
            .map(|message| message.subject.as_str());
        let subjects = subjects.collect::<Vec<_>>().join(", ");
        let more = if unreadable.len() > NAMED {
            ", …"
        } else {
            ""
        };
        let count = match unreadable.len() {
            1 => "1 message".to_owned(),
            many => format!("{many} messages"),
        };
        Some(printable(&format!(
            "{count} could not be read and are left out: {subjects}{more}; reason of the first: {}",
            first.why
        )))
    }
}
