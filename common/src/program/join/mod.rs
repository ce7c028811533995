//! Joining a farm: one line of text that holds all that a machine needs, and how it becomes the machine's farm file.

mod machine;
mod restart;

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest;

use crate::farm::worker_name::WorkerName;
use crate::names::token::Token;
use crate::program::farm_file::{FarmFile, FarmFileError};

pub use machine::Machine;
pub use restart::{join, join_at_start};

/// The beginning of every token; the version follows.
const MARK: &str = "ffmpeg-easy-";
/// The version of the tokens that this program makes and reads.
const VERSION: &str = "1";
/// Bytes of the checksum, which tells a token that was cut or changed on the way.
const CHECKSUM: usize = 6;

/// What a machine needs to join a farm: broker, user, store, places. The text form holds secrets; `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken(FarmFile);

/// The machine cannot join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The text does not begin as a token does.
    #[error(
        "this is not a join token: one begins with {MARK}{VERSION}. and is printed by `producer setup`"
    )]
    NoToken,
    /// The token is of another version.
    #[error(
        "this token is of version {0}, and this program reads version {VERSION}: use programs of one release on all machines"
    )]
    Version(String),
    /// A part is missing, or a character changed.
    #[error("this token is not whole: copy the line of `producer setup` to its end")]
    NotWhole,
    /// There is no place for the file.
    #[error("this user has no home folder: name a file with --farm")]
    NoHome,
    /// The machine's farm file is of another farm.
    #[error(
        "this machine belongs to another farm ({0}): move that file away, or name another file with --farm"
    )]
    OtherFarm(String),
    /// The token is for another program.
    #[error(
        "this line is for `{command}` (it holds the key of a {role}): paste it there, or, where a service starts that program, run `producer join --for {role}`; \
         `producer setup add {wanted} NAME` prints a line for this program"
    )]
    OtherProgram {
        /// The command that takes the line.
        command: &'static str,
        /// The role whose key it holds.
        role: &'static str,
        /// The role whose key the program needs.
        wanted: &'static str,
    },
    /// The token's key is for one worker alone, and the program is to have another name.
    #[error(
        "the key of this line is for the worker {key} alone, and this one is to be called {name}: leave out --name (WORKER_NAME), or print \
         a line for it by `producer setup add worker {name}`"
    )]
    OtherWorker {
        /// Whose key it is.
        key: WorkerName,
        /// The name that the command line gives.
        name: WorkerName,
    },
    /// The farm was made here, by a user that must stay.
    #[error(
        "the farm of {file} was made on this machine, and its user {user} keeps the farm: this line would put another one in its place. \
         `producer` needs no line here; to try the line, name another file: `producer join --farm FILE TOKEN`"
    )]
    MadeHere {
        /// The machine's farm file.
        file: String,
        /// The user in it.
        user: Token,
    },
    /// The token opens a folder that holds more than media.
    #[error(
        "this line has the worker read and write below {}, which holds more than media: print another one by `producer setup add worker NAME \
         --root DIR`, or name the folder yourself: `worker --root {} --join TOKEN`", .0.display(), .0.display()
    )]
    WideRoot(PathBuf),
    /// The token says where files in the making go.
    #[error(
        "this line has the worker make its files in {}: only the machine itself names that folder, by --scratch or `scratch` in [worker] \
         of the farm file", .0.display()
    )]
    Scratch(PathBuf),
    /// The machine's farm file cannot be read or written.
    #[error(transparent)]
    File(#[from] FarmFileError),
}

impl From<FarmFile> for JoinToken {
    fn from(file: FarmFile) -> Self {
        Self(file)
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinToken").field(&self.0).finish()
    }
}

impl JoinToken {
    /// The text to paste.
    pub fn reveal(&self) -> String {
        let mut bytes = serde_json::to_vec(&self.0).expect("settings are plain values");
        bytes.extend(checksum(&bytes));
        format!("{MARK}{VERSION}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a text that a person pasted.
    ///
    /// # Errors
    /// It is no token, of another version, or not whole.
    pub fn read(text: &str) -> Result<Self, JoinError> {
        // A terminal may have broken the line.
        let text: String = text.split_whitespace().collect();
        let rest = text.strip_prefix(MARK).ok_or(JoinError::NoToken)?;
        let (version, data) = rest.split_once('.').ok_or(JoinError::NotWhole)?;
        if version != VERSION {
            return Err(JoinError::Version(version.to_owned()));
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(data);
        let bytes = bytes.map_err(|_| JoinError::NotWhole)?;
        let split = bytes
            .len()
            .checked_sub(CHECKSUM)
            .ok_or(JoinError::NotWhole)?;
        let (document, sum) = bytes.split_at(split);
        if sum != checksum(document) {
            return Err(JoinError::NotWhole);
        }
        let file = serde_json::from_slice(document);
        file.map(Self).map_err(|_| {
            JoinError::Version(format!("{VERSION} with settings that are unknown here"))
        })
    }

    /// Writes the machine's farm file, and returns what it says then. A file of the same farm keeps what the token does
    /// not say, and its places.
    ///
    /// # Errors
    /// The token is not for this machine, the file is of another farm, or cannot be read or written.
    pub fn join(&self, path: &Path, machine: &Machine<'_>) -> Result<FarmFile, JoinError> {
        machine.takes(&self.0)?;
        let existing = match FarmFile::read(path) {
            Err(FarmFileError::Missing(_)) => FarmFile::default(),
            file => file?,
        };
        machine.takes_over(&existing, &self.0, path)?;
        let joined = self
            .merged(existing)
            .ok_or_else(|| JoinError::OtherFarm(path.display().to_string()))?;
        joined.write(path)?;
        Ok(joined)
    }

    /// The existing settings with those of the token; `None` if they are of different farms.
    fn merged(&self, existing: FarmFile) -> Option<FarmFile> {
        let token = self.0.clone();
        let has_farm = existing.broker.servers.is_some();
        if has_farm && existing.broker.ca != token.broker.ca {
            return None;
        }
        let mut merged = existing;
        if !has_farm {
            merged.broker.servers = token.broker.servers;
            merged.broker.ca = token.broker.ca;
            merged.broker.replicas = token.broker.replicas;
        }
        if token.broker.nkey.is_some() {
            (merged.broker.user, merged.broker.nkey) = (token.broker.user, token.broker.nkey);
        }
        if token.worker.nkey.is_some() {
            let (own, new) = (&mut merged.worker, token.worker);
            (own.name, own.user, own.nkey) = (new.name, new.user, new.nkey);
            own.signers = new.signers;
            // A second line gives another key, and no more places: this machine may have narrowed them.
            if own.roots.is_empty() {
                own.roots = new.roots;
            }
            if own.buckets.is_empty() {
                own.buckets = new.buckets;
            }
            own.max_jobs = own.max_jobs.or(new.max_jobs);
        }
        if token.monitor.nkey.is_some() {
            (merged.monitor.user, merged.monitor.nkey) = (token.monitor.user, token.monitor.nkey);
        }
        if merged.store == Default::default() {
            merged.store = token.store;
        }
        Some(merged)
    }
}

fn checksum(document: &[u8]) -> Vec<u8> {
    let whole = digest::digest(&digest::SHA256, document);
    whole.as_ref()[..CHECKSUM].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::nkey::UserSeed;
    use crate::program::farm_file::Program;

    const WORKER: Machine<'_> = Machine::new(Program::Worker);
    const PRODUCER: Machine<'_> = Machine::new(Program::Producer);

    fn token() -> JoinToken {
        let mut file = FarmFile::default();
        file.broker.servers = Some("tls://10.0.0.1:4222".into());
        file.worker.user = "attic".parse().ok();
        file.worker.nkey = Some(UserSeed::new());
        file.worker.roots = vec!["/media".into()];
        file.store.secret_access_key = Some("hunter2".into());
        file.into()
    }

    #[test]
    fn a_token_reads_back_also_over_several_lines() {
        let token = token();
        let text = token.reveal();
        assert_eq!(JoinToken::read(&text).expect("whole"), token);
        let broken = format!(" {}\n  {}\n", &text[..40], &text[40..]);
        assert_eq!(JoinToken::read(&broken).expect("whole"), token);
        assert!(!format!("{token:?}").contains("hunter2"));
    }

    #[test]
    fn a_token_that_was_cut_or_changed_is_told_as_such() {
        let text = token().reveal();
        for length in 0..text.len() {
            let read = JoinToken::read(&text[..length]);
            let expected = length >= MARK.len();
            match read {
                Err(JoinError::NotWhole) if expected => {}
                Err(JoinError::NoToken) if !expected => {}
                other => panic!("{length}: {other:?}"),
            }
        }
        let changed = format!(
            "{}{}",
            &text[..text.len() - 1],
            if text.ends_with('A') { 'Q' } else { 'A' }
        );
        assert!(matches!(
            JoinToken::read(&changed),
            Err(JoinError::NotWhole)
        ));
        let newer = text.replacen("-1.", "-2.", 1);
        assert!(
            matches!(JoinToken::read(&newer), Err(JoinError::Version(version)) if version == "2")
        );
    }

    #[test]
    fn a_machine_joins_once_more_in_another_role_and_no_other_farm() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        token().join(&path, &WORKER).expect("joined");
        let mut own = FarmFile::read(&path).expect("written");
        own.monitor.hosts = vec!["farm.example".to_owned()];
        own.write(&path).expect("written");
        let mut producer = FarmFile::default();
        producer.broker.servers = Some("tls://10.0.0.1:4222".into());
        producer.broker.nkey = Some(UserSeed::new());
        JoinToken::from(producer.clone())
            .join(&path, &PRODUCER)
            .expect("joined");
        let both = FarmFile::read(&path).expect("written");
        assert_eq!(both.worker, own.worker);
        assert_eq!(both.monitor, own.monitor);
        assert_eq!(both.store, own.store);
        assert_eq!(both.broker.nkey, producer.broker.nkey);

        own.broker.ca = None;
        let mut other = producer;
        other.broker.ca = Some(CA.parse().expect("PEM"));
        let error = JoinToken::from(other)
            .join(&path, &PRODUCER)
            .expect_err("refused");
        assert!(matches!(error, JoinError::OtherFarm(_)), "{error}");
        assert_eq!(FarmFile::read(&path).expect("there"), both);
    }

    /// A certificate of no use.
    const CA: &str = include_str!("../../../tests/authority.pem");
}
