//! Open folders: operations on the names in a folder, which never follow a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, Metadata, OpenOptions};
use uuid::Uuid;

/// Prefix of the files by which [`OpenFolder::try_room`] tests a disk.
pub(crate) const ROOM_PREFIX: &str = ".ffmpeg-easy-room-";
/// Bytes that are written to test a disk.
const ROOM_BYTES: usize = 64 << 10;

/// Identifies a file or folder under all its names: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The file's number on the device.
    pub inode: u64,
}

/// A file that is open for reading.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: File,
    /// The file's path, without any link in it.
    pub path: PathBuf,
    /// The file's identity.
    pub identity: Identity,
}

/// An open folder. Every operation takes one name in it, and none follows a link.
#[derive(Debug)]
pub struct OpenFolder {
    folder: Dir,
    path: PathBuf,
}

impl Identity {
    /// The identity of an open file.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        identity(&cap_std::fs::File::from_std(file.try_clone()?))
    }

    /// The identity in these metadata; `None` if the file system numbers nothing.
    pub(super) fn of_metadata(found: &Metadata) -> Option<Self> {
        let (device, inode) = (found.dev(), found.ino());
        (inode != 0).then_some(Self { device, inode })
    }
}

impl OpenFolder {
    pub(crate) fn new(folder: Dir, path: PathBuf) -> Self {
        Self { folder, path }
    }

    /// Opens a folder of the program's own, at any path.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn own(path: &Path) -> io::Result<Self> {
        super::open_ambient(path).map(|folder| Self::new(folder, path.to_owned()))
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The metadata of an entry, or of a link itself.
    ///
    /// # Errors
    /// There is no such entry.
    pub fn kind(&self, name: &OsStr) -> io::Result<Metadata> {
        self.folder.symlink_metadata(name)
    }

    /// Whether there is an entry of that name, even a link to nowhere.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn has(&self, name: &OsStr) -> io::Result<bool> {
        match self.kind(name) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Every name that is valid text, with its metadata, or a link's own.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn entries(&self) -> io::Result<Vec<(String, Metadata)>> {
        let mut found = Vec::new();
        for entry in self.folder.entries()? {
            let Ok(name) = entry?.file_name().into_string() else {
                continue;
            };
            // An entry that was removed meanwhile is left out.
            if let Ok(kind) = self.kind(OsStr::new(&name)) {
                found.push((name, kind));
            }
        }
        Ok(found)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// It is no regular file; a link is none.
    pub fn open(&self, name: &OsStr) -> io::Result<Opened> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        // A pipe of that name must not block the program.
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

    /// Makes a new file.
    ///
    /// # Errors
    /// There is an entry of that name, even a link to nowhere.
    pub fn create(&self, name: &OsStr) -> io::Result<File> {
        #[cfg(test)]
        super::fault::point();
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        Ok(self.folder.open_with(name, &options)?.into_std())
    }

    /// Checks that there is room for a file of so many bytes, and that the folder takes writes: a small file with a
    /// new hidden name is written and removed again.
    ///
    /// # Errors
    /// There is no room, or the write fails.
    pub fn try_room(&self, bytes: u64) -> io::Result<()> {
        if free(&self.folder).is_some_and(|free| free < bytes) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // Also removes the test files of killed programs. Removing a live program's test file does no harm.
        let _ = self.remove_own(ROOM_PREFIX);
        let name = format!("{ROOM_PREFIX}{}", Uuid::new_v4().simple());
        let mut file = self.create(name.as_ref())?;
        let written = file
            .write_all(&[0; ROOM_BYTES])
            .and_then(|()| file.sync_all());
        drop(file);
        let _ = self.remove(name.as_ref());
        written
    }

    /// Syncs a regular file to disk.
    ///
    /// # Errors
    /// It is no regular file, or the disk fails.
    pub fn flush(&self, name: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        let mut options = OpenOptions::new();
        // Windows syncs only files that are open for writing.
        options
            .write(true)
            .follow(FollowSymlinks::No)
            .nonblock(true);
        self.folder.open_with(name, &options)?.sync_all()
    }

    /// Renames an entry; an entry that has the new name is replaced.
    ///
    /// # Errors
    /// The system refuses, e.g. across file systems.
    pub fn rename(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        self.folder.rename(name, &to.folder, new)
    }

    /// Gives a file a second name, which must be free.
    ///
    /// # Errors
    /// The system refuses.
    pub fn link(&self, name: &OsStr, to: &Self, new: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        #[cfg(test)]
        super::fault::links()?;
        self.folder.hard_link(name, &to.folder, new)
    }

    /// Gives a file of this folder its final name. Without `replace` this fails with [`io::ErrorKind::AlreadyExists`]
    /// if the name is taken.
    ///
    /// # Errors
    /// Also if the system refuses; the file keeps its first name then.
    pub fn settle(&self, name: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        if replace {
            return self.rename(name, self, to);
        }
        match self.link(name, self, to) {
            Ok(()) => {
                // The file has its final name: a second name that stays is only untidy.
                if let Err(error) = self.remove(name) {
                    tracing::warn!(name = %name.display(), %error, "a hidden file was left behind");
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Some file systems have no links; then there is a moment in which another program may take the name.
            Err(_) if self.has(to)? => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => self.rename(name, self, to),
        }
    }

    /// Removes a file, or a link itself.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        self.folder.remove_file(name)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// It holds an entry, or the system refuses.
    pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        self.folder.remove_dir(name)
    }

    /// The folder's identity; `None` if the file system numbers nothing.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn identity(&self) -> io::Result<Option<Identity>> {
        Ok(Identity::of_metadata(&self.folder.dir_metadata()?))
    }

    /// The device that the folder is on.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn device(&self) -> io::Result<u64> {
        Ok(self.folder.dir_metadata()?.dev())
    }

    /// Whether nobody may write in the folder, by its permissions.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn is_read_only(&self) -> io::Result<bool> {
        Ok(takes_no_writes(&self.folder.dir_metadata()?))
    }

    /// Removes the regular files of this user whose names have this prefix.
    ///
    /// # Errors
    /// The folder cannot be listed.
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

    /// Like [`Self::remove_own`], for files that no living program has locked.
    ///
    /// # Errors
    /// The folder cannot be listed.
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

    /// Syncs the folder, so that its names survive a power cut, if the file system can.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        super::fault::point();
        if cfg!(not(unix)) {
            return Ok(());
        }
        match self.folder.open(".").and_then(|folder| folder.sync_all()) {
            Err(error) if cannot_sync(&error) => Ok(()),
            done => done,
        }
    }
}

/// Bytes that this user may still write, if the system tells.
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

#[cfg(unix)]
fn takes_no_writes(found: &Metadata) -> bool {
    cap_std::fs::MetadataExt::mode(found) & 0o222 == 0
}

/// A folder that is marked as read-only takes writes there.
#[cfg(not(unix))]
fn takes_no_writes(_: &Metadata) -> bool {
    false
}

/// Whether the file system has no sync of folders. Shares of virtual machines and old network file systems say so in
/// these ways.
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
        // A user who may write in a folder may still not be allowed to open it for reading.
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
    fn a_file_system_without_folder_sync_is_no_failing_disk() {
        let cannot = |errno: Errno| cannot_sync(&io::Error::from(errno));
        assert!([Errno::INVAL, Errno::BADF, Errno::NOTSUP].map(cannot) == [true; 3]);
        assert!([Errno::IO, Errno::NOSPC, Errno::STALE].map(cannot) == [false; 3]);
    }
}
