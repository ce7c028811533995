//! The folder of one attempt.

use std::io;
use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;
use common::job::failure::Failure;
use common::store::marked;
use common::store::marked::Marked;
use tokio_util::task::TaskTracker;

use crate::ffmpeg::picture::ColourTable;

/// The subfolder in which a tool may write.
const WORK: &str = "work";

/// The folder of one attempt or preview. It is removed with its content when it is dropped. Only the worker writes in
/// it; tools write only in its `work` subfolder.
pub struct AttemptFolder {
    within: Dir,
    dir: Dir,
    work: Dir,
    name: String,
    path: PathBuf,
    removals: TaskTracker,
}

impl AttemptFolder {
    /// Makes an empty folder.
    ///
    /// # Errors
    /// If the disk refuses, or if the name is in use.
    pub(super) fn make(within: &Marked, name: String, removals: TaskTracker) -> io::Result<Self> {
        let path = within.path().join(&name);
        let within = within.dir().try_clone()?;
        marked::create_private(&within, &name)?;
        let dir = within.open_dir_nofollow(&name)?;
        marked::create_private(&dir, WORK)?;
        Ok(Self {
            work: dir.open_dir_nofollow(WORK)?,
            within,
            dir,
            path,
            name,
            removals,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder as an open directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The path of the subfolder in which a tool may write.
    pub fn work_path(&self) -> PathBuf {
        self.path.join(WORK)
    }

    /// Writes a file where a tool can read it.
    ///
    /// # Errors
    /// The worker's fault if the disk refuses.
    pub async fn put(&self, name: &str, content: impl Into<Vec<u8>>) -> Result<(), Failure> {
        let content = content.into();
        let write = async || {
            let (work, name) = (self.work.try_clone()?, name.to_owned());
            let written = tokio::task::spawn_blocking(move || work.write(name, content));
            written.await.map_err(io::Error::other).flatten()
        };
        let written: io::Result<()> = write().await;
        written.map_err(|error| {
            Failure::worker(format!("{name} cannot be written to scratch: {error}"))
        })
    }

    /// Writes the colour tables that ffmpeg's filters read.
    ///
    /// # Errors
    /// The worker's fault if the disk refuses.
    pub async fn put_tables(&self, tables: &[ColourTable]) -> Result<(), Failure> {
        for table in tables {
            self.put(&table.name, table.content()).await?;
        }
        Ok(())
    }

    /// The subfolder in which a tool may write, as an open directory.
    pub fn work(&self) -> &Dir {
        &self.work
    }
}

impl Drop for AttemptFolder {
    fn drop(&mut self) {
        // The rename frees the name at once. Removing gigabytes takes time, and no lease may wait for that.
        let name = marked::removed();
        let Ok(within) = self.within.try_clone() else {
            return tracing::warn!(folder = %self.path.display(), "scratch files were left behind");
        };
        if let Err(error) = within.rename(&self.name, &within, &name) {
            return tracing::warn!(folder = %self.path.display(), %error, "scratch files were left behind");
        }
        let shown = self.path.display().to_string();
        let remove = move || {
            if let Err(error) = marked::remove_tree(&within, name.as_ref()) {
                tracing::warn!(folder = %shown, %error, "scratch files were left behind");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(self.removals.spawn_blocking_on(remove, &runtime)),
            Err(_) => remove(),
        }
    }
}
