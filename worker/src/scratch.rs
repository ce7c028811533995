//! Scratch space: a folder for each attempt, gone when the attempt ends, and
//! swept when a worker of the same name starts after a crash.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use common::id::JobId;
use common::worker::WorkerName;

/// A worker's own scratch folder, held by a lock while the worker lives.
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Takes the worker's folder below `base` and empties it: what lies there
    /// was left by a worker of this name that did not live to remove it.
    ///
    /// # Errors
    /// Where another live worker of this name uses it, or the disk refuses.
    pub fn open(base: &Path, worker: &WorkerName) -> anyhow::Result<Self> {
        let folder = base.join(worker.as_str());
        std::fs::create_dir_all(base)
            .with_context(|| format!("cannot make the scratch folder {}", base.display()))?;
        let lock_path = base.join(format!("{worker}.lock"));
        let lock = File::create(&lock_path)
            .with_context(|| format!("cannot write {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another worker named {worker} is running with the scratch folder {}: give this one another --name",
                base.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty {}", folder.display()));
            }
            _ => {}
        }
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make the scratch folder {}", folder.display()))?;
        // ffmpeg's sandbox and `file:` URLs want a path that says where it really is.
        let folder = folder
            .canonicalize()
            .with_context(|| format!("cannot resolve {}", folder.display()))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The worker's folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// An empty folder for one attempt.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn attempt(&self, job: &JobId, attempt: u32) -> std::io::Result<AttemptFolder> {
        self.make(&format!("{job}-{attempt}"))
    }

    /// An empty folder to make pictures of a job's files in, one at a time.
    ///
    /// # Errors
    /// Where the disk refuses, or one is in use.
    pub fn peek(&self) -> std::io::Result<AttemptFolder> {
        self.make("peek")
    }

    fn make(&self, name: &str) -> std::io::Result<AttemptFolder> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder)?;
        Ok(AttemptFolder { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The lock file stays: removing it could take it from a successor.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder of one attempt or peek, removed with all that is in it when dropped.
pub struct AttemptFolder {
    folder: PathBuf,
}

impl AttemptFolder {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for AttemptFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "scratch files were left behind");
        }
    }
}

/// Bytes that all attempts have in their folders.
pub fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            // It was removed just now.
            Err(_) => 0,
        })
        .sum()
}

/// Where scratch files go unless told otherwise: a disk, not a `/tmp` in memory.
pub fn default_base() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    cache.unwrap_or_else(std::env::temp_dir).join("ffmpeg-easy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_sweeps_what_a_crash_left_and_a_twin_is_refused() {
        let base = tempfile::tempdir().expect("a folder");
        let name: WorkerName = "w1".parse().expect("a name");
        let first = Scratch::open(base.path(), &name).expect("free");
        assert!(Scratch::open(base.path(), &name).is_err(), "a live twin");
        let job: JobId = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
            .parse()
            .expect("an id");
        let attempt = first.attempt(&job, 1).expect("room");
        std::fs::write(attempt.path().join("part"), "x").expect("room");
        // A crash runs no destructor, but the system lets go of the lock.
        let left = attempt.path().to_owned();
        std::mem::forget(attempt);
        let Scratch {
            folder: _,
            ref _lock,
        } = first;
        _lock.unlock().expect("ours");
        std::mem::forget(first);
        assert!(left.exists());
        let second = Scratch::open(base.path(), &name).expect("free again");
        assert!(!left.exists());
        drop(second);
        assert!(!base.path().join("w1").exists());
    }
}
