//! The farm's file, `farm.toml`: how the programs of this machine reach the broker and the store of their farm, and
//! what they may use there. `producer setup` and `worker --join` write it; every program reads it.
//!
//! The command line goes before the environment, the environment before the file, the file before the defaults.

mod read;
mod write;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::broker::{Authority, ConnectOptions, Replicas, Servers};
use crate::farm::worker_name::WorkerName;
use crate::names::location::Location;
use crate::names::nkey::{PublicKey, Signer, UserSeed};
use crate::names::token::Token;
use crate::notify::secret::Secret;
use crate::store::StoreSettings;

pub use read::FarmFileError;
pub use write::write_private;

/// The settings in the file. All of them are optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FarmFile {
    /// `[broker]`
    pub broker: BrokerSection,
    /// `[store]`
    pub store: StoreSection,
    /// `[worker]`
    pub worker: WorkerSection,
    /// `[monitor]`
    pub monitor: MonitorSection,
}

/// How to reach the broker, and as which of its users. `user` and `nkey` are those of `producer`; the worker and the
/// monitor may have users of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSection {
    /// Addresses of the servers, comma-separated.
    #[serde(with = "read::servers", skip_serializing_if = "Option::is_none")]
    pub servers: Option<Servers>,
    /// Addresses by which other machines reach the servers, where they differ: for the machine that has made the farm.
    #[serde(with = "read::servers", skip_serializing_if = "Option::is_none")]
    pub public: Option<Servers>,
    /// The name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Token>,
    /// The seed of the user's nkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<UserSeed>,
    /// A `.creds` file, instead of an nkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<PathBuf>,
    /// Who must have signed the servers' certificates, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<Authority>,
    /// Copies that a cluster keeps of each stream.
    #[serde(with = "read::replicas", skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Replicas>,
}

/// Where the media lie, and the key to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSection {
    /// A folder that all machines have at the same path, or `s3://BUCKET/PREFIX`.
    #[serde(with = "read::location", skip_serializing_if = "Option::is_none")]
    pub url: Option<Location>,
    /// The address of an S3 store that is not Amazon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The name of the access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The secret half of the access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<Secret>,
    /// The token of a temporary access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Secret>,
}

/// Where the worker of this machine works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSection {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<WorkerName>,
    /// The name of its user on the broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Token>,
    /// The seed of that user's nkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<UserSeed>,
    /// Folders below which it may read and write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<PathBuf>,
    /// Buckets, or prefixes of them, below which it may read and write.
    #[serde(with = "read::locations", skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Location>,
    /// Folder for files in the making.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scratch: Option<PathBuf>,
    /// Jobs to run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_jobs: Option<u32>,
    /// Whose signed jobs it takes, if it takes signed jobs only: the public keys of users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<PublicKey>,
}

/// How the monitor serves its page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MonitorSection {
    /// Address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// The name of its user on the broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Token>,
    /// The seed of that user's nkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nkey: Option<UserSeed>,
    /// File with the passwords.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<PathBuf>,
    /// Names of its host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// The programs that read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `producer`
    Producer,
    /// `worker`
    Worker,
    /// `monitor`
    Monitor,
}

impl FarmFile {
    /// Where the file is, if no other is named: `~/.config/ffmpeg-easy/farm.toml` on Linux. `None` for a user without
    /// a home.
    pub fn default_path() -> Option<PathBuf> {
        let folders = directories::BaseDirs::new()?;
        Some(folders.config_dir().join("ffmpeg-easy/farm.toml"))
    }

    /// Where the file is that a person named, or else the usual one.
    pub fn path(named: Option<&Path>) -> Option<PathBuf> {
        let named = named.filter(|path| !path.as_os_str().is_empty());
        named.map(Path::to_owned).or_else(Self::default_path)
    }

    /// Reads the file that a person named; without one, the file at its usual place, if there is one.
    ///
    /// # Errors
    /// The named file is missing, or a file cannot be used.
    pub fn load(named: Option<&Path>) -> Result<Self, FarmFileError> {
        if let Some(named) = named.filter(|path| !path.as_os_str().is_empty()) {
            return Self::read(named);
        }
        match Self::default_path().map(|path| Self::read(&path)) {
            Some(Err(FarmFileError::Missing(_))) | None => Ok(Self::default()),
            Some(read) => read,
        }
    }

    /// How to reach the broker. `given` are servers that the command line or the environment names: they stand for
    /// another broker, so nothing of the file's `[broker]` goes with them.
    pub fn connect(
        &self,
        program: Program,
        given: Option<Servers>,
        credentials: Option<PathBuf>,
        name: impl Into<String>,
    ) -> ConnectOptions {
        let own = match given {
            Some(_) => Self::default(),
            None => self.clone(),
        };
        let broker = own.broker;
        let (user, nkey) = match program {
            Program::Worker if own.worker.nkey.is_some() => (own.worker.user, own.worker.nkey),
            Program::Monitor if own.monitor.nkey.is_some() => (own.monitor.user, own.monitor.nkey),
            _ => (broker.user, broker.nkey),
        };
        let servers = given.or(broker.servers).unwrap_or_default();
        let key = nkey.filter(|_| credentials.is_none());
        // A worker gives orders for libraries only, by the signatures of those who have saved them.
        let signs = key.as_ref().filter(|_| program != Program::Worker);
        ConnectOptions {
            signer: signs.map(Signer::from),
            key,
            credentials: credentials.or(broker.credentials),
            user,
            authority: broker.ca,
            replicas: broker.replicas.unwrap_or(Replicas::ONE),
            ..ConnectOptions::new(servers, name)
        }
    }
}

impl StoreSection {
    /// How to reach buckets.
    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: self.session_token.clone(),
        }
    }
}
