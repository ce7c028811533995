//! The folders on the way to a location, each with its identity: one folder may have several paths.

use std::path::{Path, PathBuf};

use super::{Identity, Missing, Roots, Step};
use crate::names::location::Location;
use crate::store::StoreError;

/// The way to a location.
#[derive(Debug)]
pub struct Way {
    /// The folders from the root down to the last that exists: their paths without links, and their identities. The
    /// system may tell no identity.
    pub folders: Vec<(PathBuf, Option<Identity>)>,
    /// What follows and does not exist.
    pub rest: PathBuf,
}

impl Way {
    /// The path of the location, without any link in it.
    pub fn path(&self) -> PathBuf {
        let last = self.folders.last();
        last.map_or(Path::new(""), |(path, _)| path)
            .join(&self.rest)
    }
}

impl Roots {
    /// The way to a folder, which need not exist. Links that stay in the roots are followed.
    ///
    /// # Errors
    /// The folder is outside the roots, or cannot be looked at.
    pub fn way(&self, folder: &Location) -> Result<Way, StoreError> {
        let mut walk = self.walk(folder)?;
        let mut rest = PathBuf::new();
        while let Some(step) = walk.steps.pop_front() {
            let name = match step {
                Step::Up => {
                    walk.up()?;
                    continue;
                }
                Step::Down(name) => name,
            };
            match walk.enter(&name, Missing::Refused) {
                Err(StoreError::Missing(_)) => {
                    rest.push(name);
                    for step in walk.steps.drain(..) {
                        match step {
                            Step::Down(name) => rest.push(name),
                            Step::Up => drop(rest.pop()),
                        }
                    }
                }
                entered => entered?,
            }
        }
        let paths: Vec<&Path> = walk.at.path.ancestors().collect();
        let paths = paths.into_iter().take(walk.at.folders.len());
        let mut folders = Vec::new();
        for (dir, path) in walk.at.folders.iter().rev().zip(paths) {
            let found = dir.dir_metadata().map_err(walk.failed())?;
            folders.push((path.to_owned(), Identity::of_metadata(&found)));
        }
        folders.reverse();
        Ok(Way { folders, rest })
    }
}
