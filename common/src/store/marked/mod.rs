//! Marked folders: folders that are provably the farm's, and removing their content.
//!
//! A folder is the farm's if it carries a marker that states its purpose, and belongs to this user. Nothing else is
//! ever swept or removed. No step follows a link: each name is opened below the folder that holds it.

mod tree;

use tree::entries;
pub use tree::{create_private, private_folder, remove_tree, removed, size};

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// The name of the marker file.
pub const MARKER: &str = "ffmpeg-easy.mark";
/// Most bytes that are read of a marker.
const MARKER_BYTES: u64 = 4096;

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is a link, which may lead anywhere.
    #[error("{0} is a link: name the folder that is meant itself")]
    Link(PathBuf),
    /// It is a file, or something else that is no folder.
    #[error("{0} is no folder")]
    NoFolder(PathBuf),
    /// It is no regular file, or other users may change it.
    #[error("{0} is no plain file of this user's: remove it, or give another --scratch")]
    NoPlainFile(PathBuf),
    /// It belongs to another user.
    #[error("{0} belongs to another user: give a folder of this user's own with --scratch")]
    Foreign(PathBuf),
    /// Other users may replace its content.
    #[error(
        "other users may write in {0}, and could replace what is made there: `chmod 700 {0}`, or give another --scratch"
    )]
    Open(PathBuf),
    /// It has no marker.
    #[error(
        "{0} has no marker of ffmpeg-easy's ({MARKER}), so its files may belong to somebody: it was left as it is. Move it \
         away, or give another --name or --scratch"
    )]
    Unmarked(PathBuf),
    /// Its marker states another purpose.
    #[error(
        "{path} is a {is} by its marker, not a {wanted}: it was left as it is. Move it away, or give another --name or \
         --scratch"
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// The purpose in its marker.
        is: String,
        /// The purpose that was expected.
        wanted: String,
    },
    /// The system refuses.
    #[error("cannot use {path}: {error}")]
    System {
        /// The path.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl Refused {
    fn system(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::System { path, error }
    }

    /// Whether the reason is that the path does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::System { error, .. } if error.kind() == ErrorKind::NotFound)
    }
}

/// A folder below which marked folders may be made: it belongs to this user or to the system, and no other user can
/// replace what this user has in it.
pub struct Base {
    dir: Dir,
    path: PathBuf,
}

impl Base {
    /// Opens an existing folder.
    ///
    /// # Errors
    /// It is missing, a link, another user's, or open to others.
    pub fn open(path: &Path) -> Result<Self, Refused> {
        // With a slash or a dot at the end of the path, the system would follow a link.
        let path: PathBuf = std::path::absolute(path)
            .map_err(Refused::system(path))?
            .components()
            .collect();
        let named = std::fs::symlink_metadata(&path).map_err(Refused::system(&path))?;
        if named.is_symlink() {
            return Err(Refused::Link(path));
        }
        if !named.is_dir() {
            return Err(Refused::NoFolder(path));
        }
        let dir =
            Dir::open_ambient_dir(&path, ambient_authority()).map_err(Refused::system(&path))?;
        let opened = dir.dir_metadata().map_err(Refused::system(&path))?;
        // A link that was put there in between leads elsewhere.
        if !is_same(&Metadata::from_just_metadata(named), &opened) {
            return Err(Refused::Link(path));
        }
        check_base(&path, &opened)?;
        // Tools and their confinement need the real path.
        let path = path.canonicalize().map_err(Refused::system(&path))?;
        Ok(Self { dir, path })
    }

    /// Opens a folder, and makes it for this user alone if it is missing.
    ///
    /// # Errors
    /// As [`Self::open`]; or it cannot be made.
    pub fn make(path: &Path) -> Result<Self, Refused> {
        match Self::open(path) {
            Err(refused) if refused.is_missing() => {
                private_folder(path).map_err(Refused::system(path))?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// Opens a folder that a person chose for another purpose, in which other users may write: names in it must be
    /// impossible to guess.
    ///
    /// # Errors
    /// It is missing, or the system refuses.
    pub fn shared(path: &Path) -> Result<Self, Refused> {
        let dir =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(Refused::system(path))?;
        let path = path.canonicalize().map_err(Refused::system(path))?;
        Ok(Self { dir, path })
    }

    /// The folder's real path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file of this user's for a lock, and makes it if it is missing.
    ///
    /// # Errors
    /// It is a link, another user's, or no plain file.
    pub fn lock_file(&self, name: &str) -> Result<std::fs::File, Refused> {
        let path = self.path.join(name);
        let mut options = plain();
        options.write(true).create(true);
        let file = self.dir.open_with(name, &options).map_err(|error| {
            match self.dir.symlink_metadata(name) {
                Ok(there) if !there.is_file() => Refused::NoPlainFile(path.clone()),
                _ => Refused::system(&path)(error),
            }
        })?;
        let metadata = file.metadata().map_err(Refused::system(&path))?;
        if !metadata.is_file() || !is_ours(&metadata) {
            return Err(Refused::NoPlainFile(path));
        }
        Ok(file.into_std())
    }
}

/// A folder with the farm's marker.
pub struct Marked {
    dir: Dir,
    path: PathBuf,
}

impl Marked {
    /// Opens the folder of this name, if there is one; `kind` is its purpose.
    ///
    /// # Errors
    /// The entry is not a marked folder, or has another purpose.
    pub fn find(base: &Base, name: &str, kind: &str) -> Result<Option<Self>, Refused> {
        let path = base.path.join(name);
        let metadata = match base.dir.symlink_metadata(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            metadata => metadata.map_err(Refused::system(&path))?,
        };
        if metadata.is_symlink() {
            return Err(Refused::Link(path));
        }
        if !metadata.is_dir() {
            return Err(Refused::NoFolder(path));
        }
        let dir = base
            .dir
            .open_dir_nofollow(name)
            .map_err(Refused::system(&path))?;
        let metadata = dir.dir_metadata().map_err(Refused::system(&path))?;
        if !is_ours(&metadata) {
            return Err(Refused::Foreign(path));
        }
        match marker(&dir).map_err(Refused::system(&path))? {
            None => return Err(Refused::Unmarked(path)),
            Some(is) if is != kind => {
                let wanted = kind.to_owned();
                return Err(Refused::Other { path, is, wanted });
            }
            Some(_) => {}
        }
        if others_write(&metadata) {
            return Err(Refused::Open(path));
        }
        Ok(Some(Self { dir, path }))
    }

    /// Opens the folder of this name; makes and marks it if there is none. The caller must hold the lock of the
    /// folder.
    ///
    /// # Errors
    /// As [`Self::find`]; or it cannot be made.
    pub fn make(base: &Base, name: &str, kind: &str) -> Result<Self, Refused> {
        if let Some(found) = Self::find(base, name, kind)? {
            return Ok(found);
        }
        let path = base.path.join(name);
        let failed = || Refused::system(&path);
        // The folder is marked first and named afterwards: a crash in between leaves no folder of that name without a
        // marker.
        let unnamed = format!("{name}.new");
        match create_private(&base.dir, &unnamed) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let left = base
                    .dir
                    .open_dir_nofollow(&unnamed)
                    .map_err(Refused::system(base.path.join(&unnamed)))?;
                let metadata = left.dir_metadata().map_err(failed())?;
                let is_empty = entries(&left)
                    .map_err(failed())?
                    .iter()
                    .all(|n| n == MARKER);
                if !is_ours(&metadata) || !is_empty {
                    return Err(Refused::Unmarked(base.path.join(unnamed)));
                }
            }
            made => made.map_err(failed())?,
        }
        let dir = base.dir.open_dir_nofollow(&unnamed).map_err(failed())?;
        if !is_ours(&dir.dir_metadata().map_err(failed())?) {
            return Err(Refused::Foreign(path));
        }
        mark(&dir, kind).map_err(failed())?;
        base.dir
            .rename(&unnamed, &base.dir, name)
            .map_err(failed())?;
        match Self::find(base, name, kind) {
            Ok(Some(made)) => Ok(made),
            Ok(None) => Err(failed()(ErrorKind::NotFound.into())),
            // Some file systems let everybody write, whatever mode is asked for.
            Err(refused) => {
                let made = Self { dir, path };
                let _ = made.remove(base);
                Err(refused)
            }
        }
    }

    /// The folder as a base for further marked folders.
    ///
    /// # Errors
    /// The system refuses.
    pub fn as_base(&self) -> io::Result<Base> {
        Ok(Base {
            dir: self.dir.try_clone()?,
            path: self.path.clone(),
        })
    }

    /// The open folder.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the entries whose names are `is_ours`, with all that they hold. Returns the names of the entries that
    /// are left: others, or those that cannot be removed.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn sweep(&self, is_ours: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
        let mut left = Vec::new();
        for name in entries(&self.dir)? {
            let shown = name.to_string_lossy().into_owned();
            let ours = name.to_str().is_some_and(&is_ours);
            if name != MARKER && !(ours && remove_tree(&self.dir, &name).is_ok()) {
                left.push(shown);
            }
        }
        Ok(left)
    }

    /// Removes the folder if it holds nothing but its marker; `base` is its parent.
    ///
    /// # Errors
    /// It holds an entry, or the system refuses.
    pub fn remove(self, base: &Base) -> io::Result<()> {
        if let Some(name) = entries(&self.dir)?.iter().find(|name| *name != MARKER) {
            let what = format!("{} is in it", name.display());
            return Err(io::Error::new(ErrorKind::DirectoryNotEmpty, what));
        }
        let name = self.path.file_name().unwrap_or_default();
        self.dir.remove_file(MARKER)?;
        base.dir.remove_dir(name)
    }
}

/// Options for opening a file without following a link and without waiting.
fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.follow(FollowSymlinks::No).nonblock(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a file below a folder for reading, if it is a plain file of this user's with one name; otherwise `None`.
///
/// # Errors
/// It is missing, or the system refuses.
pub fn open_plain(dir: &Dir, name: impl AsRef<Path>) -> io::Result<Option<File>> {
    let name = name.as_ref();
    // Opening a device may have an effect.
    if !dir.symlink_metadata(name)?.is_file() {
        return Ok(None);
    }
    let file = dir.open_with(name, plain().read(true))?;
    let metadata = file.metadata()?;
    let is_plain = metadata.is_file() && is_ours(&metadata) && has_one_name(&metadata);
    Ok(is_plain.then_some(file))
}

/// Whether a name in a folder is that of an open file.
///
/// # Errors
/// The folder has no entry of that name.
pub fn is_name_of(dir: &Dir, name: impl AsRef<Path>, file: &File) -> io::Result<bool> {
    Ok(is_same(&dir.symlink_metadata(name)?, &file.metadata()?))
}

/// The purpose in a folder's marker.
fn marker(dir: &Dir) -> io::Result<Option<String>> {
    let file = match open_plain(dir, MARKER) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let Some(file) = file else {
        return Ok(None);
    };
    let mut text = Vec::new();
    file.take(MARKER_BYTES).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let kind = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("ffmpeg-easy: "));
    Ok(kind.map(str::to_owned))
}

fn mark(dir: &Dir, kind: &str) -> io::Result<()> {
    match dir.remove_file(MARKER) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = dir.open_with(MARKER, plain().write(true).create_new(true))?;
    let text = format!(
        "ffmpeg-easy: {kind}\nThe program makes files here and removes them again. Keep nothing of yours here.\n"
    );
    file.write_all(text.as_bytes())
}

/// Whether both are of the same file or folder.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Other systems cannot tell.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn is_ours(metadata: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

/// Other systems have only their own rules.
#[cfg(not(unix))]
fn is_ours(_: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn has_one_name(metadata: &Metadata) -> bool {
    cap_std::fs::MetadataExt::nlink(metadata) == 1
}

#[cfg(not(unix))]
fn has_one_name(_: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn others_write(metadata: &Metadata) -> bool {
    cap_std::fs::MetadataExt::mode(metadata) & 0o022 != 0
}

#[cfg(not(unix))]
fn others_write(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn check_base(path: &Path, metadata: &Metadata) -> Result<(), Refused> {
    use cap_std::fs::MetadataExt;
    /// In a sticky folder, only the owner of an entry may remove or rename it.
    const STICKY: u32 = 0o1000;
    // Root can do anything in any folder.
    let is_trusted = is_ours(metadata) || metadata.uid() == 0;
    if !is_trusted {
        return Err(Refused::Foreign(path.to_owned()));
    }
    if others_write(metadata) && metadata.mode() & STICKY == 0 {
        return Err(Refused::Open(path.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_base(_: &Path, _: &Metadata) -> Result<(), Refused> {
    Ok(())
}
