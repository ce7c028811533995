//! Where the private farm of one output folder keeps its state, so that the
//! same command carries on where it was interrupted.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use common::marked::private_folder;
use uuid::Uuid;

use crate::exit::Error;

/// The state of one output folder, held by this process alone.
pub struct State {
    folder: PathBuf,
    output: PathBuf,
    /// Released by the system when this process ends, however it ends.
    _lock: File,
}

impl State {
    /// Opens the state of an output folder, which must exist.
    ///
    /// # Errors
    /// Where another process holds it, or the user's state folder cannot be used.
    pub fn open(output: &Path) -> Result<Self, Error> {
        let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, output.as_os_str().as_encoded_bytes());
        let folder = base()?.join("ffmpeg-easy").join(name.simple().to_string());
        let failed = |error: std::io::Error| {
            Error::usage(format!(
                "cannot use the state folder {}: {error}; XDG_STATE_HOME names another place",
                folder.display()
            ))
        };
        private_folder(&folder).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!(
                    "another encode into {} is running: wait for it, or choose another folder with -o",
                    output.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // For people who wonder what this folder is.
        std::fs::write(folder.join("output"), format!("{}\n", output.display())).map_err(failed)?;
        Ok(Self {
            folder,
            output: output.to_owned(),
            _lock: lock,
        })
    }

    /// A state of its own, for a command that only looks; it is to be [removed](Self::remove).
    ///
    /// # Errors
    /// Where the user's state folder cannot be used.
    pub fn passing() -> Result<Self, Error> {
        let name = format!("look-{}", Uuid::new_v4().simple());
        let folder = base()?.join("ffmpeg-easy").join(name);
        let failed = |error: std::io::Error| {
            Error::usage(format!(
                "cannot use the state folder {}: {error}; XDG_STATE_HOME names another place",
                folder.display()
            ))
        };
        private_folder(&folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self {
            output: folder.clone(),
            folder,
            _lock: lock,
        })
    }

    /// Removes all of it.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "the state of a look is left");
        }
    }

    /// A file or folder of the state.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An empty folder of the state, for this user only.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn empty_folder(&self, name: &str) -> std::io::Result<PathBuf> {
        let path = self.path(name);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_folder(&path)?;
        Ok(path)
    }

    /// The output folder.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Whether a file can be moved from here to the output folder without being copied.
    pub fn is_on_disk_of_output(&self) -> bool {
        on_same_disk(&self.folder, &self.output)
    }
}

/// The folder that this system has for what programs remember of a user.
fn base() -> Result<PathBuf, Error> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = || std::env::home_dir().filter(|path| path.is_absolute());
    variable("XDG_STATE_HOME")
        .or_else(|| {
            if cfg!(windows) {
                variable("LOCALAPPDATA")
            } else if cfg!(target_os = "macos") {
                home().map(|home| home.join("Library/Application Support"))
            } else {
                home().map(|home| home.join(".local/state"))
            }
        })
        .ok_or_else(|| {
            Error::usage("no home folder to remember the encode in: set XDG_STATE_HOME to one")
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
