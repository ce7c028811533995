//! A folder that is open: names in it, which are never followed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, Metadata, OpenOptions};
use uuid::Uuid;

/// How the files begin that only find out whether a disk takes anything.
const TRIAL: &str = ".ffmpeg-easy-room-";
/// Bytes that are written to find out whether a disk takes anything.
const TRIED: usize = 64 << 10;

/// What makes a file the same under every name: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The number of the file there.
    pub inode: u64,
}

/// A file that is open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// Where it was found, without any link in it.
    pub path: PathBuf,
    /// Which file it is.
    pub identity: Identity,
}

/// A folder that is open. Every operation takes one name in it, and none
/// follows a link.
#[derive(Debug)]
pub struct OpenFolder {
    folder: Dir,
    path: PathBuf,
}

impl Identity {
    /// Which file is open.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        identity(&cap_std::fs::File::from_std(file.try_clone()?))
    }
}

impl OpenFolder {
    pub(crate) fn new(folder: Dir, path: PathBuf) -> Self {
        Self { folder, path }
    }

    /// Opens a folder of the program's own, wherever it is.
    ///
    /// # Errors
    /// Where that fails.
    pub fn own(path: &Path) -> io::Result<Self> {
        super::open_ambient(path).map(|folder| Self::new(folder, path.to_owned()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a name stands for, itself.
    ///
    /// # Errors
    /// Where there is nothing of that name.
    pub fn kind(&self, name: &OsStr) -> io::Result<Metadata> {
        self.folder.symlink_metadata(name)
    }

    /// Whether there is something of that name, be it a link to nowhere.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn has(&self, name: &OsStr) -> io::Result<bool> {
        match self.kind(name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Every name that is text, with what it stands for itself.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn entries(&self) -> io::Result<Vec<(String, Metadata)>> {
        let mut found = Vec::new();
        for entry in self.folder.entries()? {
            let Ok(name) = entry?.file_name().into_string() else {
                continue;
            };
            // What is removed meanwhile is not there.
            if let Ok(kind) = self.kind(OsStr::new(&name)) {
                found.push((name, kind));
            }
        }
        Ok(found)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// Where it is none, a link included.
    pub fn open(&self, name: &OsStr) -> io::Result<Opened> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        // A pipe of that name must not hold us up.
        options.nonblock(true);
        let file = self.folder.open_with(name, &options)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        Ok(Opened {
            identity: identity(&file)?,
            file: file.into_std(),
            path: self.path.join(name),
        })
    }

    /// Makes a file that was not there.
    ///
    /// # Errors
    /// Where something of that name is, be it a link to nowhere.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        Ok(self.folder.open_with(name, &options)?.into_std())
    }

    /// Whether there is room for a file of so many bytes, by writing a small one of
    /// a new hidden name, which is removed again.
    ///
    /// # Errors
    /// Where there is none, or nothing may be written.
    pub fn try_room(&self, bytes: u64) -> io::Result<()> {
        if free(&self.folder).is_some_and(|free| free < bytes) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // What a killed program left, too. Another's is missed as little.
        let _ = self.remove_own(TRIAL);
        let name = format!("{TRIAL}{}", Uuid::new_v4().simple());
        let mut file = self.create(name.as_ref())?;
        let written = file.write_all(&[0; TRIED]).and_then(|()| file.sync_all());
        drop(file);
        let _ = self.remove(name.as_ref());
        written
    }

    /// Sees to it that a regular file's bytes are on the disk.
    ///
    /// # Errors
    /// Where it is none, or the disk fails.
    pub fn flush(&self, name: &OsStr) -> io::Result<()> {
        let mut options = OpenOptions::new();
        // Windows flushes only what may be written.
        options
            .write(true)
            .follow(FollowSymlinks::No)
            .nonblock(true);
        self.folder.open_with(name, &options)?.sync_all()
    }

    /// Gives something another name; what has that name already is replaced.
    ///
    /// # Errors
    /// Where the system refuses, for one across file systems.
    pub fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        self.folder.rename(name, &to.folder, new)
    }

    /// Gives a file a second name, which nothing may have.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn link(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        self.folder.hard_link(name, &to.folder, new)
    }

    /// Gives a file in it its final name. Without `replace` this fails with
    /// [`io::ErrorKind::AlreadyExists`] where something has that name.
    ///
    /// # Errors
    /// Where the system refuses, too; the file keeps its first name then.
    pub fn settle(&self, name: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        if replace {
            return self.rename(name, self, to);
        }
        match self.link(name, self, to) {
            Ok(()) => {
                // The file is there: a second name that stays is only untidy.
                if let Err(error) = self.remove(name) {
                    tracing::warn!(name = %name.display(), %error, "a hidden file was left behind");
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Not every file system has links; then a moment is left for somebody else.
            Err(_) if self.has(to)? => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => self.rename(name, self, to),
        }
    }

    /// Removes a file, or a link itself.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.folder.remove_file(name)
    }

    /// Removes the regular files of this user whose names begin so.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn remove_own(&self, prefix: &str) -> io::Result<()> {
        for entry in self.folder.entries()? {
            let name = entry?.file_name();
            if name.as_encoded_bytes().starts_with(prefix.as_bytes())
                && self.kind(&name).is_ok_and(|found| is_own(&found))
            {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    /// The same, of files that no living program has locked.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn remove_abandoned(&self, prefix: &str) -> io::Result<()> {
        for (name, kind) in self.entries()? {
            if !name.starts_with(prefix) || !is_own(&kind) {
                continue;
            }
            let name = OsStr::new(&name);
            let is_free = |found: Opened| found.file.try_lock().is_ok();
            if self.open(name).is_ok_and(is_free) {
                self.remove(name)?;
            }
        }
        Ok(())
    }

    /// Makes names in it survive a power cut, on file systems that can.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        if cfg!(not(unix)) {
            return Ok(());
        }
        match self.folder.open(".").and_then(|folder| folder.sync_all()) {
            Err(error) if cannot_sync(&error) => Ok(()),
            done => done,
        }
    }
}

/// Bytes that this user may still write there, where the system says so.
#[cfg(unix)]
fn free(folder: &Dir) -> Option<u64> {
    let found = rustix::fs::fstatvfs(folder).ok()?;
    // Some file systems tell nothing.
    (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Dir) -> Option<u64> {
    None
}

fn identity(file: &cap_std::fs::File) -> io::Result<Identity> {
    let found = file.metadata()?;
    Ok(Identity {
        device: found.dev(),
        inode: found.ino(),
    })
}

#[cfg(unix)]
fn is_own(found: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    found.is_file() && MetadataExt::uid(found) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(found: &Metadata) -> bool {
    found.is_file()
}

/// Whether the file system has no such thing as a sync of a folder. Shares of
/// virtual machines and old network file systems say so in these ways.
#[cfg(unix)]
fn cannot_sync(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    [
        Errno::INVAL,
        Errno::BADF,
        Errno::NOTSUP,
        Errno::OPNOTSUPP,
        Errno::NOSYS,
        // Who may write a folder may still not list it.
        Errno::ACCESS,
    ]
    .map(Some)
    .contains(&errno)
}

#[cfg(not(unix))]
fn cannot_sync(_: &io::Error) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_folder_that_no_file_system_syncs_is_no_failing_disk() {
        let cannot = |errno: Errno| cannot_sync(&io::Error::from(errno));
        assert!([Errno::INVAL, Errno::BADF, Errno::NOTSUP].map(cannot) == [true; 3]);
        assert!([Errno::IO, Errno::NOSPC, Errno::STALE].map(cannot) == [false; 3]);
    }
}
