//! Defaults from a file.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::broker::{Replicas, Servers};
use common::names::location::Location;
use common::program::telemetry::LogFormat;
use toml::{Table, Value};

use crate::cli::args;
use crate::cli::exit::Error;

/// The values in the file. Each key is named after an option.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigFile {
    pub nats: Option<Servers>,
    pub nats_creds: Option<PathBuf>,
    pub replicas: Option<Replicas>,
    pub store: Option<Location>,
    pub ack_wait: Option<Duration>,
    pub log_level: Option<String>,
    pub log_format: Option<LogFormat>,
}

impl ConfigFile {
    /// # Errors
    /// If the file cannot be read. The error names every unknown key and every value that cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let failed =
            |why: &str| Error::usage(format!("config file {}: {}", path.display(), why.trim()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error.to_string()))?;
        let table: Table = toml::from_str(&text).map_err(|error| failed(error.message()))?;
        let mut keys = Keys {
            table,
            problems: Vec::new(),
        };
        let file = Self {
            nats: keys.take("nats", str::parse),
            nats_creds: keys.take("nats_creds", str::parse),
            replicas: keys.take("replicas", str::parse),
            store: keys.take("store", Location::from_argument),
            ack_wait: keys.take("ack_wait", args::ack_wait),
            log_level: keys.take("log_level", args::log_level),
            log_format: keys.take("log_format", str::parse),
        };
        let unknown = keys.table.keys().map(|key| format!("unknown key '{key}'"));
        let problems: Vec<String> = keys.problems.into_iter().chain(unknown).collect();
        if problems.is_empty() {
            Ok(file)
        } else {
            Err(failed(&problems.join("; ")))
        }
    }
}

/// The keys that are not read yet, and the problems of the others.
struct Keys {
    table: Table,
    problems: Vec<String>,
}

impl Keys {
    fn take<T, E: Display>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = match self.table.remove(key)? {
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            other => {
                let kind = other.type_str();
                self.problems
                    .push(format!("{key}: expected text, found {kind}"));
                return None;
            }
        };
        read(&text)
            .map_err(|error| self.problems.push(format!("{key}: {error}")))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ConfigFile, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        ConfigFile::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_gives_defaults() {
        let file = read("replicas = 3\nack_wait = \"2m\"\nstore = \"\"\n").expect("readable");
        assert_eq!(file.replicas, "3".parse().ok());
        assert_eq!(file.ack_wait, Some(Duration::from_secs(120)));
        assert_eq!(file.store, None);
    }

    #[test]
    fn passwords_are_not_printed() {
        let file = read("nats = \"nats://me:secret@a:4222\"\n").expect("readable");
        let printed = format!("{file:?}");
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn all_that_is_wrong_with_a_file_is_named() {
        let text = "replicas = 4\nack_wait = \"soon\"\nlog_format = \"xml\"\nnats = true\ncolour = \"red\"\n";
        let error = read(text).expect_err("refused");
        for word in ["replicas", "ack_wait", "log_format", "nats", "colour"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
