//! Defaults from a file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exit::Error;

/// What the file may hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// As `--nats`.
    pub nats: Option<String>,
    /// As `--nats-creds`.
    pub nats_creds: Option<PathBuf>,
    /// As `--replicas`.
    pub replicas: Option<u8>,
    /// As `--store`.
    pub store: Option<String>,
    /// As `--ack-wait`.
    pub ack_wait: Option<String>,
    /// As `--log-level`.
    pub log_level: Option<String>,
    /// As `--log-format`.
    pub log_format: Option<String>,
}

impl ConfigFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read, or holds a key or value that means nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let failed =
            |why: String| Error::usage(format!("config file {}: {}", path.display(), why.trim()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        toml::from_str(&text).map_err(|error| failed(error.message().to_owned()))
    }
}
