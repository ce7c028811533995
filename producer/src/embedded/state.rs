//! The state of the private farm of one output folder, with which the same command resumes an interrupted one.
//!
//! Below the folder of all states, `ID/` is the state of an output folder with open jobs, and `ID.done` its
//! [memory](super::memory) after all jobs have ended. `ID` follows from the path of the output folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use common::store::marked::private_folder;
use common::store::roots::Identity;
use uuid::Uuid;

use super::memory;
use super::memory::Memory;
use crate::cli::exit::Error;

/// The file that is locked while a state is used.
pub(super) const LOCK: &str = "lock";
/// The file with the path of the output folder.
pub(super) const OUTPUT: &str = "output";
/// The prefix of temporary states.
pub(super) const LOOK: &str = "look-";
/// The store of the broker, and its name while it is removed.
const STORE: &str = "jetstream";
const REMOVED: &str = "jetstream.removed";

/// The state of one output folder, held by this process alone.
pub(crate) struct State {
    folder: PathBuf,
    /// The memory file.
    done: PathBuf,
    output: PathBuf,
    /// Released by the system when this process ends, however it ends.
    _lock: File,
}

impl State {
    /// Opens the state of an output folder, which must exist.
    ///
    /// # Errors
    /// Where another process holds it, or the user's state folder cannot be used.
    pub(crate) fn open(output: &Path) -> Result<Self, Error> {
        Self::open_free(output)?.ok_or_else(|| {
            Error::usage(format!(
                "another encode into {} is running: wait for it, or choose another folder with -o",
                output.display()
            ))
        })
    }

    /// Opens the state of an output folder; `None` where another process holds it.
    ///
    /// # Errors
    /// Where the user's state folder cannot be used.
    pub(crate) fn open_free(output: &Path) -> Result<Option<Self>, Error> {
        let states = states()?;
        let name = name(output);
        let folder = states.join(&name);
        let failed = |error: io::Error| {
            Error::usage(format!(
                "cannot use the state folder {}: {error}; XDG_STATE_HOME names another place",
                folder.display()
            ))
        };
        let Some(lock) = locked(&folder).map_err(failed)? else {
            return Ok(None);
        };
        remove(&folder.join(REMOVED)).map_err(failed)?;
        // For people, and for `sweep`.
        std::fs::write(folder.join(OUTPUT), format!("{}\n", output.display())).map_err(failed)?;
        Ok(Some(Self {
            done: states.join(name).with_extension(memory::EXTENSION),
            folder,
            output: output.to_owned(),
            _lock: lock,
        }))
    }

    /// What earlier commands have left to remember.
    pub(crate) fn remembered(&self) -> Memory {
        memory::read(&self.done)
    }

    /// Removes the state and keeps this memory, after all jobs have ended. The programs of the private farm must have
    /// ended.
    ///
    /// # Errors
    /// Where the memory cannot be written: then the state stays as it is.
    pub(crate) fn forget(self, memory: &Memory) -> io::Result<()> {
        self.keep(memory)?;
        self.remove_store()
    }

    /// Writes what is to be remembered, and leaves the state as it is.
    ///
    /// # Errors
    /// Where it cannot be written: then the memory stays as it was.
    pub(crate) fn keep(&self, memory: &Memory) -> io::Result<()> {
        memory::write(&self.done, &self.output, memory)
    }

    /// Whether a command that was interrupted has left jobs here.
    pub(crate) fn has_store(&self) -> bool {
        self.folder.join(STORE).exists()
    }

    /// Removes the state, and leaves the memory as it is. The programs of the private farm must have ended.
    ///
    /// # Errors
    /// Where it cannot be removed: the next command does it.
    pub(crate) fn remove_store(self) -> io::Result<()> {
        // Renamed first: a later command would use a half-removed store.
        match std::fs::rename(self.folder.join(STORE), self.folder.join(REMOVED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        remove(&self.folder)
    }

    /// A temporary state, for a command that changes nothing. To be [removed](Self::remove) after use.
    pub(crate) fn temporary() -> Result<Self, Error> {
        let name = format!("{LOOK}{}", Uuid::new_v4().simple());
        let folder = states()?.join(name);
        let failed = |error: io::Error| {
            Error::usage(format!(
                "cannot use the state folder {}: {error}; XDG_STATE_HOME names another place",
                folder.display()
            ))
        };
        private_folder(&folder).map_err(failed)?;
        let lock = File::create(folder.join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self {
            done: folder.with_extension(memory::EXTENSION),
            output: folder.clone(),
            folder,
            _lock: lock,
        })
    }

    pub(crate) fn remove(self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "a temporary state is left");
        }
    }

    /// A file or folder of the state.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An empty folder of the state, for this user only.
    pub(crate) fn empty_folder(&self, name: &str) -> std::io::Result<PathBuf> {
        let path = self.path(name);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_folder(&path)?;
        Ok(path)
    }

    /// The output folder.
    pub(crate) fn output(&self) -> &Path {
        &self.output
    }

    /// Whether a file can be moved from here to the output folder without being copied.
    pub(crate) fn is_on_disk_of_output(&self) -> bool {
        on_same_disk(&self.folder, &self.output)
    }
}

/// The lock of a state, once its folder is there and this process has it; `None` where
/// another has it.
fn locked(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    loop {
        private_folder(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let lock = match lock {
            // Another process has just removed the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The folder may have been removed before the file was locked.
        let there = File::open(&path).and_then(|there| Identity::of(&there));
        if there.is_ok_and(|there| Identity::of(&lock).is_ok_and(|own| own == there)) {
            return Ok(Some(lock));
        }
    }
}

/// Removes a folder with its content, if it exists.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The name of an output folder's state.
pub(super) fn name(output: &Path) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, output.as_os_str().as_encoded_bytes());
    id.simple().to_string()
}

/// The folder of all states.
pub(super) fn states() -> Result<PathBuf, Error> {
    Ok(base()?.join("ffmpeg-easy"))
}

/// The folder that this system has for the state of a user's programs. Systems other than Linux have none of their
/// own for that, but one for data.
fn base() -> Result<PathBuf, Error> {
    let named = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let usual = || {
        let folders = directories::BaseDirs::new()?;
        let state = folders.state_dir().unwrap_or(folders.data_local_dir());
        Some(state.to_owned())
    };
    named
        .filter(|path| path.is_absolute())
        .or_else(usual)
        .ok_or_else(|| {
            Error::usage("no home folder for the state of the encode: set XDG_STATE_HOME to one")
        })
}

#[cfg(unix)]
fn on_same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => one.dev() == other.dev(),
        _ => true,
    }
}

#[cfg(not(unix))]
fn on_same_disk(one: &Path, other: &Path) -> bool {
    one.components().next() == other.components().next()
}
