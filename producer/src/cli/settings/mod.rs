//! Which farm to use, and the connection to it.

mod config_file;

use std::path::PathBuf;
use std::time::Duration;

use common::broker::server::{Role, Subjects};
use common::broker::{Broker, BrokerError, ConnectOptions, Refusals, Replicas, Servers};
use common::names::location::Location;
use common::names::printable::printable;
use common::program::farm_file::{FarmFile, FarmFileError, Program};
use common::program::telemetry::LogFormat;
use common::store::Stores;
use tokio::sync::OnceCell;

use crate::cli::args::{CommonOptions, Setting};
use crate::cli::exit::Error;
use crate::cli::settings::config_file::ConfigFile;

/// Unreadable messages that are named.
const NAMED: usize = 3;

/// What is said of a machine whose keys are those of a worker or a monitor alone.
pub(crate) const NO_USER: &str = "this machine's file has no user for `producer`";
/// What to do about that.
pub(crate) const NO_USER_CURE: &str = "run this on another machine; or print a line by `producer setup add producer NAME` on the machine that has \
     made the farm, and paste it here";

/// How a command uses the farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FarmUsage {
    /// Whether it creates the streams of a farm on a broker that has none.
    pub sets_up: bool,
    /// Whether it does without one, unless a person names it.
    pub is_optional: bool,
    /// Whether it makes the farm's file.
    pub makes_file: bool,
    /// Whether it tells what is wrong with the farm's file, instead of failing.
    pub judges_file: bool,
}

/// The common options, with the defaults of the config file.
pub(crate) struct Settings {
    nats: Option<Servers>,
    nats_creds: Option<PathBuf>,
    replicas: Option<Replicas>,
    pub store: Option<Location>,
    pub ack_wait: Duration,
    pub log_level: String,
    pub log_format: LogFormat,
    /// The farm's file, where a person has named one.
    pub farm: Option<PathBuf>,
    /// What the farm's file says.
    file: FarmFile,
    /// What is wrong with the farm's file, for a command that judges it.
    pub file_error: Option<FarmFileError>,
    /// How the command uses the farm.
    usage: FarmUsage,
    /// Made by the first [`Settings::connect`].
    broker: OnceCell<Broker>,
}

impl Settings {
    /// Fills in the defaults of the config file and of the farm's file.
    ///
    /// # Errors
    /// If one of the files cannot be used.
    pub(crate) fn new(options: CommonOptions, usage: FarmUsage) -> Result<Self, Error> {
        fn given<T>(option: Option<Setting<T>>) -> Option<T> {
            option.and_then(Setting::value)
        }
        let file = match options.config {
            Some(path) => ConfigFile::read(&path)?,
            None => ConfigFile::default(),
        };
        let farm = options.farm.filter(|path| !path.as_os_str().is_empty());
        let mut file_error = None;
        let farm_file = match FarmFile::load(farm.as_deref()) {
            Err(FarmFileError::Missing(_)) if usage.makes_file => FarmFile::default(),
            Err(error) if usage.judges_file => {
                file_error = Some(error);
                FarmFile::default()
            }
            loaded => loaded.map_err(Error::usage)?,
        };
        let store = given(options.store).or(file.store);
        let level = given(options.log_level).or(file.log_level);
        let format = given(options.log_format).or(file.log_format);
        let ack_wait = given(options.ack_wait).or(file.ack_wait);
        let mut settings = Self {
            nats: given(options.nats).or(file.nats),
            nats_creds: options.nats_creds.or(file.nats_creds),
            replicas: given(options.replicas).or(file.replicas),
            store,
            ack_wait: ack_wait.unwrap_or(ConnectOptions::ACK_WAIT),
            log_level: level.unwrap_or_else(|| "warn".to_owned()),
            log_format: format.unwrap_or_default(),
            farm,
            file: farm_file,
            file_error,
            usage,
            broker: OnceCell::new(),
        };
        if settings.names_a_farm() || !usage.is_optional {
            let of_farm = settings.file.store.url.clone();
            settings.store = settings.store.or(of_farm);
        }
        Ok(settings)
    }

    /// Whether a person names a broker, by an option, the environment or the config file.
    pub(crate) fn names_a_broker(&self) -> bool {
        self.nats.is_some()
    }

    /// Whether a person names a farm: commands that need no server use that one instead of this machine alone.
    pub(crate) fn names_a_farm(&self) -> bool {
        self.nats.is_some() || self.farm.is_some()
    }

    /// Whether this machine belongs to a farm, or a person names one.
    pub(crate) fn has_a_farm(&self) -> bool {
        self.names_a_farm() || self.file.broker.servers.is_some()
    }

    /// What the farm's file says.
    pub(crate) fn file(&self) -> &FarmFile {
        &self.file
    }

    /// Access to stores.
    pub(crate) fn stores(&self) -> Stores {
        Stores::of(self.file.store.settings())
    }

    /// How to reach the broker.
    pub(crate) fn connection(&self) -> ConnectOptions {
        let (servers, credentials) = (self.nats.clone(), self.nats_creds.clone());
        let mut options = self
            .file
            .connect(Program::Producer, servers, credentials, "producer");
        options.ack_wait = self.ack_wait;
        options.replicas = self.replicas.unwrap_or(options.replicas);
        options.refusals = match self.usage.judges_file {
            true => Refusals::Told,
            false => Refusals::RequestsTold,
        };
        options
    }

    /// An error of a command, with its cause where that is a right that the user of this connection lacks: the broker
    /// gives no answer to what it refuses.
    pub(crate) async fn explained(&self, error: Error) -> Error {
        let broker = self.broker.get().filter(|_| error.is_unanswered());
        let Some((broker, refused)) = broker.and_then(|broker| Some((broker, broker.refused()?)))
        else {
            return error;
        };
        let user = self.connection().user;
        let named = user
            .as_ref()
            .map(|user| format!(" {user}"))
            .unwrap_or_default();
        let reads = match &user {
            Some(user) => {
                broker
                    .lacking(&Subjects::of(Role::Reader, user, None))
                    .await
            }
            None => return Error::out_of_reach(format!("this user may not {refused}: {error}")),
        };
        let role = match reads.is_ok_and(|lacking| lacking.is_empty()) {
            true => " (its key is one for a reader)",
            false => "",
        };
        Error::out_of_reach(format!(
            "the user{named}{role} may not {refused}: `producer setup add producer NAME` prints a line for one that gives orders, on the \
             machine that has made the farm"
        ))
    }

    /// Whether `producer` has a user here, or has never needed one. The keys of this machine may be those of its worker
    /// or its monitor alone.
    pub(crate) fn has_own_user(&self) -> bool {
        let (broker, file) = (&self.file.broker, &self.file);
        let servers = broker.servers.clone().unwrap_or_default();
        let is_named = self.nats.is_some() || self.nats_creds.is_some();
        let has_login =
            broker.nkey.is_some() || broker.credentials.is_some() || servers.reveal().contains('@');
        is_named || has_login || (file.worker.nkey.is_none() && file.monitor.nkey.is_none())
    }

    /// The connection to the farm; made once.
    ///
    /// # Errors
    /// If the broker is out of reach, too old or without JetStream.
    pub(crate) async fn connect(&self) -> Result<Broker, Error> {
        let connect = async || {
            let options = self.connection();
            if self.usage.sets_up {
                Broker::set_up(&options).await
            } else {
                Broker::connect(&options).await
            }
        };
        match self.broker.get_or_try_init(connect).await {
            Ok(broker) => Ok(broker.clone()),
            Err(BrokerError::Unauthorized { .. }) if !self.has_own_user() => {
                Err(Error::out_of_reach(format!("{NO_USER}: {NO_USER_CURE}")))
            }
            Err(error) => Err(error.into()),
        }
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
