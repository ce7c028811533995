//! Roots: the folders below which a program may read and write.
//!
//! A path is walked name by name from the root's descriptor, so that the checked file is the opened one, even if
//! other programs move entries meanwhile. A link is followed only if it stays in a root; the text of the link decides
//! that, so nothing outside is even looked at.

#[cfg(test)]
pub(crate) mod fault;
mod folder;
mod mount;
mod way;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::names::location::Location;
use crate::store::StoreError;

pub(crate) use folder::ROOM_PREFIX;
pub use folder::{Identity, OpenFolder, Opened};
pub use way::Way;

/// Most links on the way to one file.
const LINKS: usize = 40;

/// The folders below which a program may read and write.
#[derive(Clone, Debug)]
pub struct Roots(Vec<Root>);

#[derive(Clone, Debug)]
struct Root {
    /// The path as it was given, made absolute.
    name: PathBuf,
    /// The path without any link in it.
    real: PathBuf,
    /// Whether a file system was mounted at this path.
    was_mount: bool,
}

/// A folder cannot be a root.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be used: {source}; is it a folder of this machine?", path.display())]
pub struct RootError {
    /// The folder's path, as it was given.
    pub path: PathBuf,
    /// The system's error.
    #[source]
    pub source: io::Error,
}

impl Roots {
    /// Opens existing folders as roots.
    ///
    /// # Errors
    /// The first path that does not exist or is no folder.
    pub fn new<P: AsRef<Path>>(folders: impl IntoIterator<Item = P>) -> Result<Self, RootError> {
        let root = |folder: P| {
            let failed = |source| RootError {
                path: folder.as_ref().to_owned(),
                source,
            };
            let name = std::path::absolute(&folder).map_err(failed)?;
            let real = name.canonicalize().map_err(failed)?;
            open_ambient(&real).map_err(failed)?;
            Ok(Root {
                was_mount: mount::is_mounted(&real),
                name,
                real,
            })
        };
        folders
            .into_iter()
            .map(root)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The roots' locations: as they were given, and without links.
    pub fn locations(&self) -> Vec<Location> {
        let mut names = Vec::new();
        for root in &self.0 {
            for path in [&root.name, &root.real] {
                match Location::file(path) {
                    Ok(name) if !names.contains(&name) => names.push(name),
                    _ => {}
                }
            }
        }
        names
    }

    /// Checks that the root of a location is in place.
    ///
    /// # Errors
    /// [`StoreError::Away`] if it is missing, or has lost the file system that was mounted there.
    pub fn reach(&self, location: &Location) -> Result<(), StoreError> {
        self.walk(location).map(drop)
    }

    /// Opens a file for reading. Links that stay in the roots are followed.
    ///
    /// # Errors
    /// It is missing, no regular file, or outside the roots.
    pub fn file(&self, location: &Location) -> Result<Opened, StoreError> {
        let mut walk = self.walk(location)?;
        loop {
            let Some(name) = walk.go_to_last(Missing::Refused)? else {
                return Err(StoreError::Missing(location.clone()));
            };
            let folder = walk.folder()?;
            let found = folder.kind(&name).map_err(walk.failed())?;
            if found.is_symlink() {
                walk.follow(&name)?;
            } else if found.is_file() {
                return folder.open(&name).map_err(walk.failed());
            } else {
                return Err(StoreError::Missing(location.clone()));
            }
        }
    }

    /// Opens the folder of a file, which need not exist; returns the file's name there, which is not looked at.
    ///
    /// # Errors
    /// The folder is missing or outside the roots.
    pub fn folder_of(&self, location: &Location) -> Result<(OpenFolder, OsString), StoreError> {
        self.parent(location, Missing::Refused)
    }

    /// Like [`Self::folder_of`]; missing folders are made.
    ///
    /// # Errors
    /// The folder is outside the roots, or cannot be made.
    pub fn make_folder_of(
        &self,
        location: &Location,
    ) -> Result<(OpenFolder, OsString), StoreError> {
        self.parent(location, Missing::Made)
    }

    /// Opens a folder. Links that stay in the roots are followed.
    ///
    /// # Errors
    /// It is missing or outside the roots.
    pub fn folder(&self, location: &Location) -> Result<OpenFolder, StoreError> {
        let mut walk = self.walk(location)?;
        while let Some(name) = walk.go_to_last(Missing::Refused)? {
            walk.enter(&name, Missing::Refused)?;
        }
        walk.folder()
    }

    /// Removes a file; a missing one is fine. Of a link, the link itself is removed.
    ///
    /// # Errors
    /// It is outside the roots, or the system refuses.
    pub fn remove(&self, location: &Location) -> Result<(), StoreError> {
        let removed = self.folder_of(location).and_then(|(folder, name)| {
            folder.remove(&name).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => StoreError::Missing(location.clone()),
                _ => StoreError::Local {
                    what: format!("removing {location}"),
                    source,
                },
            })
        });
        match removed {
            Err(StoreError::Missing(_)) => Ok(()),
            removed => removed,
        }
    }

    fn parent(
        &self,
        location: &Location,
        missing: Missing,
    ) -> Result<(OpenFolder, OsString), StoreError> {
        let mut walk = self.walk(location)?;
        match walk.go_to_last(missing)? {
            Some(name) => Ok((walk.folder()?, name)),
            None => Err(StoreError::Missing(location.clone())),
        }
    }

    fn walk<'a>(&'a self, location: &'a Location) -> Result<Walk<'a>, StoreError> {
        let outside = || StoreError::Outside(location.clone());
        let path = location.path().ok_or_else(outside)?;
        let (at, steps) = self.enter(&path)?.ok_or_else(outside)?;
        Ok(Walk {
            roots: self,
            location,
            at,
            steps,
            links: 0,
        })
    }

    /// Opens the root of a path, and returns it with the rest of the path; `None` outside the roots.
    fn enter(&self, path: &Path) -> Result<Option<(Position, VecDeque<Step>)>, StoreError> {
        let found = self.0.iter().find_map(|root| {
            let rest = path
                .strip_prefix(&root.name)
                .or_else(|_| path.strip_prefix(&root.real))
                .ok()?;
            Some((root, rest))
        });
        let Some((root, rest)) = found else {
            return Ok(None);
        };
        let at = Position {
            folders: vec![root.open()?],
            path: root.real.clone(),
        };
        Ok(Some((at, steps(rest))))
    }
}

impl Root {
    fn open(&self) -> Result<Dir, StoreError> {
        let away = |source| StoreError::Away {
            place: Location::file(&self.name)
                .unwrap_or_else(|_| unreachable!("roots are absolute paths")),
            source,
        };
        let folder = open_ambient(&self.real).map_err(away)?;
        if self.was_mount && !mount::is_mounted(&self.real) {
            return Err(away(io::Error::other("nothing is mounted there any more")));
        }
        Ok(folder)
    }
}

fn open_ambient(path: &Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

/// What to do about missing folders on the way.
#[derive(Clone, Copy, PartialEq)]
enum Missing {
    Made,
    Refused,
}

/// One step of a path.
#[derive(Debug)]
enum Step {
    Down(OsString),
    Up,
}

fn steps(path: &Path) -> VecDeque<Step> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(Step::Down(name.to_owned())),
            Component::ParentDir => Some(Step::Up),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect()
}

/// The position of a walk: the open folders from the root down.
struct Position {
    folders: Vec<Dir>,
    /// The path of the position, without any link in it.
    path: PathBuf,
}

/// A walk to a location.
struct Walk<'a> {
    roots: &'a Roots,
    location: &'a Location,
    at: Position,
    steps: VecDeque<Step>,
    links: usize,
}

impl Walk<'_> {
    fn here(&self) -> &Dir {
        self.at.folders.last().expect("a walk begins at a root")
    }

    fn folder(&self) -> Result<OpenFolder, StoreError> {
        let folder = self.here().try_clone().map_err(self.failed())?;
        Ok(OpenFolder::new(folder, self.at.path.clone()))
    }

    /// The meaning of an error of the system on this walk.
    fn failed(&self) -> impl FnOnce(io::Error) -> StoreError {
        let location = self.location.clone();
        move |error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::Missing(location),
            _ if mount::is_unreachable(&error) => StoreError::Away {
                place: location,
                source: error,
            },
            _ => StoreError::Local {
                what: location.to_string(),
                source: error,
            },
        }
    }

    /// Walks until one name is left, and returns that name; `None` if no name is left.
    fn go_to_last(&mut self, missing: Missing) -> Result<Option<OsString>, StoreError> {
        loop {
            match self.steps.pop_front() {
                None => return Ok(None),
                Some(Step::Up) => self.up()?,
                Some(Step::Down(name)) if self.steps.is_empty() => return Ok(Some(name)),
                Some(Step::Down(name)) => self.enter(&name, missing)?,
            }
        }
    }

    fn up(&mut self) -> Result<(), StoreError> {
        if self.at.folders.len() > 1 {
            self.at.folders.pop();
            self.at.path.pop();
            return Ok(());
        }
        // Above a root, the path is only composed, not opened: it may lead down into another root.
        let mut path = self.at.path.clone();
        path.pop();
        for step in self.steps.drain(..) {
            match step {
                Step::Down(name) => path.push(name),
                Step::Up => drop(path.pop()),
            }
        }
        self.jump(&path)
    }

    fn jump(&mut self, path: &Path) -> Result<(), StoreError> {
        let leads_out = || StoreError::LeadsOut(self.location.clone());
        let (at, mut steps) = self.roots.enter(path)?.ok_or_else(leads_out)?;
        self.at = at;
        steps.append(&mut self.steps);
        self.steps = steps;
        Ok(())
    }

    /// Continues with the target of a link.
    fn follow(&mut self, name: &OsString) -> Result<(), StoreError> {
        self.links += 1;
        if self.links > LINKS {
            return Err(self.failed()(io::Error::other("too many links")));
        }
        let target = self
            .here()
            .read_link_contents(name)
            .map_err(self.failed())?;
        if target.has_root() || target.is_absolute() {
            return self.jump(&target);
        }
        let mut steps = steps(&target);
        steps.append(&mut self.steps);
        self.steps = steps;
        Ok(())
    }

    fn enter(&mut self, name: &OsString, missing: Missing) -> Result<(), StoreError> {
        let found = self.here().symlink_metadata(name);
        match found {
            Ok(found) if found.is_symlink() => return self.follow(name),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing == Missing::Made => {
                match self.here().create_dir(name) {
                    // Another worker may have made the folder just now.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(self.failed()(error));
                    }
                    _ => {}
                }
            }
            Err(error) => return Err(self.failed()(error)),
        }
        let folder = self.here().open_dir_nofollow(name).map_err(self.failed())?;
        self.at.folders.push(folder);
        self.at.path.push(name);
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests;
