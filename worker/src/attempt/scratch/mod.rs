//! Scratch space: a folder for each attempt, which is removed when the attempt ends. After a crash, the next worker
//! of the same name removes the folders that were left.
//!
//! All of them lie in one folder that carries the worker's marker. Only files with a name that a worker makes are
//! ever removed.

mod folder;

pub use folder::AttemptFolder;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::store::marked;
use common::store::marked::{Base, Marked};
use common::store::scratch::{folder, is_own, kind, lock};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A worker's own scratch folder, which it locks while it lives.
pub struct Scratch {
    base: Base,
    /// Is `Some` until the worker ends.
    folder: Option<Marked>,
    path: PathBuf,
    /// The removals of the folders of ended attempts.
    removals: TaskTracker,
    _lock: File,
}

impl Scratch {
    /// Locks the worker's folder below `base`, and removes the files that a crashed worker of this name left in it.
    ///
    /// # Errors
    /// If another live worker of this name uses the folder, if the folder has no marker of this worker, if others may
    /// write there, or if the disk refuses.
    pub fn open(base: &Path, worker: &WorkerName) -> anyhow::Result<Self> {
        let base = Base::make(base)?;
        let lock_name = lock(worker);
        let lock = base.lock_file(&lock_name)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another worker named {worker} is running with the scratch folder {}: give this one another --name",
                base.path().display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(anyhow::Error::new(error).context(format!(
                    "cannot lock {}",
                    base.path().join(lock_name).display()
                )));
            }
        }
        let folder = Marked::make(&base, &folder(worker), &kind(worker))?;
        sweep(&folder);
        Ok(Self {
            base,
            path: folder.path().to_owned(),
            folder: Some(folder),
            removals: TaskTracker::new(),
            _lock: lock,
        })
    }

    /// The path of a worker's folder, existing or not. Changes nothing.
    ///
    /// # Errors
    /// If the worker would refuse to use the folder.
    pub fn look(base: &Path, worker: &WorkerName) -> anyhow::Result<PathBuf> {
        let base = match Base::open(base) {
            Err(refused) if refused.is_missing() => {
                return Ok(std::path::absolute(base)?.join(folder(worker)));
            }
            base => base?,
        };
        Marked::find(&base, &folder(worker), &kind(worker))?;
        Ok(base.path().join(folder(worker)))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an empty folder for one attempt.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn attempt(&self, job: &JobId, attempt: u32) -> io::Result<AttemptFolder> {
        self.make(format!("{job}-{attempt}"))
    }

    /// Makes an empty folder for a preview, one at a time.
    ///
    /// # Errors
    /// If the disk refuses, or if the folder is in use.
    pub fn preview(&self) -> io::Result<AttemptFolder> {
        self.make("peek".to_owned())
    }

    /// Makes an empty folder for a probe of a library's file; several may be under way.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn probe(&self) -> io::Result<AttemptFolder> {
        self.make(format!("probe-{}", Uuid::new_v4()))
    }

    /// Makes an empty folder for sample encodes for another worker, one at a time.
    ///
    /// # Errors
    /// If the disk refuses, or if the folder is in use.
    pub fn sample(&self) -> io::Result<AttemptFolder> {
        self.make("sample".to_owned())
    }

    /// Makes an empty folder for a proof encode.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn proof(&self) -> io::Result<AttemptFolder> {
        self.make(format!("proof-{}", Uuid::new_v4()))
    }

    /// Waits until the folders of all ended attempts are removed.
    pub async fn removed(&self) {
        self.removals.close();
        self.removals.wait().await;
        self.removals.reopen();
    }

    fn make(&self, name: String) -> io::Result<AttemptFolder> {
        let Some(folder) = &self.folder else {
            return Err(io::ErrorKind::NotFound.into());
        };
        AttemptFolder::make(folder, name, self.removals.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The lock file stays: by now it may be the lock of the next worker.
        if let Some(folder) = self.folder.take()
            && sweep(&folder)
            && let Err(error) = folder.remove(&self.base)
        {
            tracing::warn!(folder = %self.path.display(), %error, "the scratch folder stays");
        }
    }
}

/// Removes the files that a worker makes. Returns whether the folder is empty then.
fn sweep(folder: &Marked) -> bool {
    let shown = folder.path().display();
    match folder.sweep(is_own) {
        Ok(left) if left.is_empty() => true,
        Ok(left) => {
            let first: Vec<&str> = left.iter().take(5).map(String::as_str).collect();
            let left = left.len();
            tracing::warn!(folder = %shown, left, first = ?first, "not made by a worker, or not to be removed: left as it is");
            false
        }
        Err(error) => {
            tracing::warn!(folder = %shown, %error, "scratch files of before cannot be removed");
            false
        }
    }
}

/// The size in bytes of all files in `folder`.
pub fn size(folder: &Path) -> u64 {
    Dir::open_ambient_dir(folder, ambient_authority()).map_or(0, |dir| marked::size(&dir))
}

#[cfg(test)]
mod tests;
