//! Folders that are provably ours, and removing what is in them.
//!
//! A folder is ours where it carries a marker that says what it is for, and
//! belongs to this user. Nothing else is ever swept or removed. No step follows
//! a link: each name is opened below the folder that holds it.

mod tree;

use tree::entries;
pub use tree::{create_private, private_folder, remove_tree, removed, size};

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};

/// The file by which a folder of ours is known.
pub const MARKER: &str = "ffmpeg-easy.mark";
/// More than any marker says.
const MARKER_BYTES: u64 = 4096;

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A link, which may lead anywhere.
    #[error("{0} is a link: name the folder that is meant itself")]
    Link(PathBuf),
    /// A file, or something else that is no folder.
    #[error("{0} is no folder")]
    NoFolder(PathBuf),
    /// No regular file, or one that others have a hand in.
    #[error("{0} is no plain file of this user's: remove it, or give another --scratch")]
    NoPlainFile(PathBuf),
    /// Another user's.
    #[error("{0} belongs to another user: give a folder of this user's own with --scratch")]
    Foreign(PathBuf),
    /// Others may replace what is in it.
    #[error(
        "other users may write in {0}, and could replace what is made there: `chmod 700 {0}`, or give another --scratch"
    )]
    Open(PathBuf),
    /// Without our marker.
    #[error(
        "{0} has no marker of ffmpeg-easy's ({MARKER}), so what is in it is somebody's: it was left as it is. Move it \
         away, or give another --name or --scratch"
    )]
    Unmarked(PathBuf),
    /// Ours, but for something else.
    #[error(
        "{path} is a {is} by its marker, not a {wanted}: it was left as it is. Move it away, or give another --name or \
         --scratch"
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// What it is for.
        is: String,
        /// What it should be for.
        wanted: String,
    },
    /// The system refuses.
    #[error("cannot use {path}: {error}")]
    System {
        /// What is refused.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl Refused {
    fn system(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::System { path, error }
    }

    /// Whether nothing is there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::System { error, .. } if error.kind() == ErrorKind::NotFound)
    }
}

/// A folder below which folders of ours may be made: this user's (or the
/// system's), and nobody else can replace what this user has in it.
pub struct Base {
    dir: Dir,
    path: PathBuf,
}

impl Base {
    /// Opens a folder that is there.
    ///
    /// # Errors
    /// Where it is missing, a link, another user's, or open to others.
    pub fn open(path: &Path) -> Result<Self, Refused> {
        // A slash or a dot at the end would have a link followed.
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
        // Tools and their confinement want a path that says where it really is.
        let path = path.canonicalize().map_err(Refused::system(&path))?;
        Ok(Self { dir, path })
    }

    /// Opens a folder, which is made for this user alone where it is missing.
    ///
    /// # Errors
    /// As [`Self::open`]; where it cannot be made.
    pub fn make(path: &Path) -> Result<Self, Refused> {
        match Self::open(path) {
            Err(refused) if refused.is_missing() => {
                private_folder(path).map_err(Refused::system(path))?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// Opens a folder that a person named for something else, and in which others
    /// may have a hand: to be used with names that nobody can guess.
    ///
    /// # Errors
    /// Where it is missing, or the system refuses.
    pub fn shared(path: &Path) -> Result<Self, Refused> {
        let dir =
            Dir::open_ambient_dir(path, ambient_authority()).map_err(Refused::system(path))?;
        let path = path.canonicalize().map_err(Refused::system(path))?;
        Ok(Self { dir, path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file of this user's for a lock, which is made where it is missing.
    ///
    /// # Errors
    /// Where it is a link, another user's, or no plain file.
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

/// A folder that carries our marker.
pub struct Marked {
    dir: Dir,
    path: PathBuf,
}

impl Marked {
    /// Opens the folder of this name, if there is one; `kind` says what it is for.
    ///
    /// # Errors
    /// Where what is there is not ours, or for something else.
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

    /// Opens the folder of this name, which is made and marked where there is
    /// none. Whoever calls this holds a lock of the folder.
    ///
    /// # Errors
    /// As [`Self::find`]; where it cannot be made.
    pub fn make(base: &Base, name: &str, kind: &str) -> Result<Self, Refused> {
        if let Some(found) = Self::find(base, name, kind)? {
            return Ok(found);
        }
        let path = base.path.join(name);
        let failed = || Refused::system(&path);
        // Marked first and named afterwards: a crash in between leaves no folder of the name without a marker.
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
            // Some file systems let everybody write, whatever is asked for.
            Err(refused) => {
                let made = Self { dir, path };
                let _ = made.remove(base);
                Err(refused)
            }
        }
    }

    /// The folder as one below which others of ours are made.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn as_base(&self) -> io::Result<Base> {
        Ok(Base {
            dir: self.dir.try_clone()?,
            path: self.path.clone(),
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what is ours by its name, with all that is in it. Gives the
    /// names of what is left: somebody else's, or what cannot be removed.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
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

    /// Removes the folder where nothing but its marker is left in it; `base`
    /// is the one that it lies in.
    ///
    /// # Errors
    /// Where something is in it, or the system refuses.
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

/// How to open a file without following a link or waiting for anyone.
fn plain() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.follow(FollowSymlinks::No).nonblock(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a file below a folder to be read: a plain one of this user's, with no
/// second name. `None` where it is something else.
///
/// # Errors
/// Where it is missing, or the system refuses.
pub fn open_plain(dir: &Dir, name: impl AsRef<Path>) -> io::Result<Option<File>> {
    let name = name.as_ref();
    // A device may do something when it is opened.
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
/// Where nothing has that name.
pub fn is_name_of(dir: &Dir, name: impl AsRef<Path>, file: &File) -> io::Result<bool> {
    Ok(is_same(&dir.symlink_metadata(name)?, &file.metadata()?))
}

/// What a folder's marker says that it is for.
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

/// Elsewhere a name does not tell.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn is_ours(metadata: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

/// Elsewhere the system's own rules have to do.
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
    /// In such a folder only the owner of a thing may remove or rename it.
    const STICKY: u32 = 0o1000;
    // What the system's own user may do, it may do anywhere.
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
