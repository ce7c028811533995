//! Scratch space: a folder for each attempt, gone when the attempt ends, and
//! swept when a worker of the same name starts after a crash.
//!
//! All of it lies in one folder that carries the worker's marker. Only what a
//! worker makes there by its name is ever removed.

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

/// A worker's own scratch folder, held by a lock while the worker lives.
pub struct Scratch {
    base: Base,
    /// There until the worker ends.
    folder: Option<Marked>,
    path: PathBuf,
    /// Folders of attempts that are over, being removed.
    removals: TaskTracker,
    _lock: File,
}

impl Scratch {
    /// Takes the worker's folder below `base`, and removes from it what a worker
    /// of this name left that did not live to remove it.
    ///
    /// # Errors
    /// Where another live worker of this name uses it, where it is not a
    /// worker's by its marker, where others may write there, or the disk refuses.
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

    /// Where a worker's folder is or would be, without touching anything.
    ///
    /// # Errors
    /// Where the worker would refuse to use it.
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

    /// The worker's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An empty folder for one attempt.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn attempt(&self, job: &JobId, attempt: u32) -> io::Result<AttemptFolder> {
        self.make(format!("{job}-{attempt}"))
    }

    /// An empty folder to make pictures of a job's files in, one at a time.
    ///
    /// # Errors
    /// Where the disk refuses, or one is in use.
    pub fn peek(&self) -> io::Result<AttemptFolder> {
        self.make("peek".to_owned())
    }

    /// An empty folder for an encode by which the worker proves itself.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn proof(&self) -> io::Result<AttemptFolder> {
        self.make(format!("proof-{}", Uuid::new_v4()))
    }

    /// Waits until all folders of attempts that are over are removed.
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
        // The lock file stays: removing it could take it from a successor.
        if let Some(folder) = self.folder.take()
            && sweep(&folder)
            && let Err(error) = folder.remove(&self.base)
        {
            tracing::warn!(folder = %self.path.display(), %error, "the scratch folder stays");
        }
    }
}

/// Removes what a worker makes; tells whether nothing else is there.
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

/// Bytes that all attempts have in their folders.
pub fn size(folder: &Path) -> u64 {
    Dir::open_ambient_dir(folder, ambient_authority()).map_or(0, |dir| marked::size(&dir))
}

#[cfg(test)]
mod tests;
