//! Reading the farm's file. Errors name the file and the line, and never a secret.

use std::path::{Path, PathBuf};

use crate::program::farm_file::FarmFile;

/// The farm's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FarmFileError {
    /// There is no such file.
    #[error("there is no farm file {}: `producer setup` makes one, `worker --join` too", .0.display())]
    Missing(PathBuf),
    /// The system does not give it.
    #[error("cannot read the farm file {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The system does not take it.
    #[error("cannot write the farm file {}: {source}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It holds secrets, and everyone on this machine can read or change it.
    #[error("the farm file {path} holds secrets, and other users may read it: run `chmod 600 {path}`", path = .0.display())]
    Exposed(PathBuf),
    /// A key is unknown, or a value wrong.
    #[error("farm file {}, line {line}: {message}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong, and what is known.
        message: String,
    },
}

impl FarmFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read; a key is unknown or a value wrong; others may read the secrets in it.
    pub fn read(path: &Path) -> Result<Self, FarmFileError> {
        let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => FarmFileError::Missing(path.to_owned()),
            _ => FarmFileError::Unreadable {
                file: path.to_owned(),
                source,
            },
        })?;
        let file = Self::parse(&text).map_err(|(line, message)| FarmFileError::Invalid {
            file: path.to_owned(),
            line,
            message,
        })?;
        if file.holds_secrets() && is_exposed(path) {
            return Err(FarmFileError::Exposed(path.to_owned()));
        }
        Ok(file)
    }

    /// Reads the text of a file; an error is a line and what is wrong there.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            // Only the message: the rest of the error quotes the line, which may hold a secret.
            (line, error.message().to_owned())
        })
    }

    fn holds_secrets(&self) -> bool {
        let servers = self.broker.servers.as_ref();
        self.broker.nkey.is_some()
            || self.worker.nkey.is_some()
            || self.monitor.nkey.is_some()
            || servers.is_some_and(|servers| servers.credentials().is_some())
            || self.store.secret_access_key.is_some()
            || self.store.session_token.is_some()
    }
}

/// Whether everyone on this machine may read the file, or more users than its owner may change it. Its group may read
/// it: service managers give secrets to a service that way.
#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    const OPEN: u32 = 0o027;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & OPEN != 0)
}

/// Elsewhere, a file in a user's folder is the user's own.
#[cfg(not(unix))]
fn is_exposed(_: &Path) -> bool {
    false
}

/// Addresses as one text.
pub(super) mod servers {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::broker::Servers;

    pub(crate) fn serialize<S: Serializer>(
        servers: &Option<Servers>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        servers.as_ref().map(Servers::reveal).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Servers>, D::Error> {
        let servers = Servers::from(String::deserialize(from)?);
        servers.check().map_err(serde::de::Error::custom)?;
        Ok(Some(servers))
    }
}

/// A number of copies.
pub(super) mod replicas {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::broker::Replicas;

    pub(crate) fn serialize<S: Serializer>(
        replicas: &Option<Replicas>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let number = replicas.map(|replicas| replicas.count() as u64);
        number.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Replicas>, D::Error> {
        let number = u8::deserialize(from)?.to_string();
        number.parse().map(Some).map_err(serde::de::Error::custom)
    }
}

/// A folder or a bucket, as people write it.
pub(super) mod location {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::names::location::Location;

    pub(crate) fn text(location: &Location) -> String {
        location.path().map_or_else(
            || String::from(location.clone()),
            |path| path.display().to_string(),
        )
    }

    pub(crate) fn serialize<S: Serializer>(
        location: &Option<Location>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        location.as_ref().map(text).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Location>, D::Error> {
        let text = String::deserialize(from)?;
        Location::from_argument(&text)
            .map(Some)
            .map_err(serde::de::Error::custom)
    }
}

/// A list of them.
pub(super) mod locations {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::names::location::Location;

    pub(crate) fn serialize<S: Serializer>(
        locations: &[Location],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = locations.iter().map(super::location::text).collect();
        texts.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Location>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let read = texts.iter().map(|text| Location::from_argument(text));
        read.collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::nkey::UserSeed;

    #[test]
    fn an_empty_file_sets_nothing() {
        assert_eq!(FarmFile::parse(""), Ok(FarmFile::default()));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_those_that_are_known() {
        let text = "[broker]\nservers = \"nats://a:4222\"\n\n[store]\nendpoints = \"http://b\"\n";
        let (line, message) = FarmFile::parse(text).expect_err("refused");
        assert_eq!(line, 5);
        assert!(
            message.contains("endpoints") && message.contains("`endpoint`"),
            "{message}"
        );
        let (line, message) = FarmFile::parse("[brokers]\n").expect_err("refused");
        assert!(
            line == 1 && message.contains("`broker`"),
            "{line}: {message}"
        );
    }

    #[test]
    fn wrong_values_are_refused_and_secrets_not_shown() {
        let seed = UserSeed::new().reveal().to_owned();
        for (wrong, told) in [
            ("[broker]\nservers = \"nats://me:hunter2,x@a\"", "address 1"),
            ("[broker]\nnkey = \"SUhunter2\"", "nkey"),
            ("[broker]\nca = \"hunter2\"", "certificate"),
            ("[broker]\nreplicas = 2", "1, 3 or 5"),
            ("[store]\nurl = \"ftp://hunter\"", "ftp"),
            ("[worker]\nname = \"a b\"", "'a b'"),
        ] {
            let text = format!("[store]\nsecret_access_key = \"hunter2\"\n{wrong}\n");
            let text = text.replacen(
                "[store]\nsecret_access_key = \"hunter2\"\n[store]",
                "[store]",
                1,
            );
            let (_, message) = FarmFile::parse(&text).expect_err(wrong);
            assert!(message.contains(told), "{wrong}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let text =
            format!("[broker]\nnkey = \"{seed}\"\n[store]\nsecret_access_key = \"hunter2\"\n");
        let shown = format!("{:?}", FarmFile::parse(&text).expect("sound"));
        assert!(
            !shown.contains(&seed) && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn secrets_that_others_may_read_are_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        let open = |text: &str, mode: u32| {
            std::fs::write(&path, text).expect("written");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("set");
            FarmFile::read(&path)
        };
        let secret = "[store]\nsecret_access_key = \"hunter2\"\n";
        for mode in [0o644, 0o604, 0o660, 0o602] {
            let error = open(secret, mode).expect_err("refused").to_string();
            assert!(error.contains("chmod 600"), "{mode:o}: {error}");
        }
        open(secret, 0o600).expect("its owner's");
        open(secret, 0o440).expect("its group may read");
        open("[store]\nregion = \"eu\"\n", 0o644).expect("no secret");
        let missing = FarmFile::load(Some(&folder.path().join("none.toml")));
        assert!(matches!(missing, Err(FarmFileError::Missing(_))));
    }
}
