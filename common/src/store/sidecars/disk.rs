//! Sidecars on disks.

use std::ffi::{OsStr, OsString};
use std::io;

use uuid::Uuid;

use super::{Carried, Way, occupied};
use crate::job::id::JobId;
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::store::StoreError;
use crate::store::copy::copy_file;
use crate::store::roots::{OpenFolder, Opened, Roots};

/// The names of the files and links in the folder of a source.
pub(super) fn names(roots: &Roots, source: &Location) -> Result<Vec<String>, StoreError> {
    let (folder, _) = roots.folder_of(source)?;
    let entries = folder.entries();
    let entries = entries.map_err(StoreError::local(source.folder().to_string()))?;
    let entries = entries.into_iter().filter(|(_, kind)| !kind.is_dir());
    Ok(entries.map(|(name, _)| name).collect())
}

/// Makes a sidecar go its way. What the disk refuses is a reason to leave it, for another worker would find the same.
pub(super) fn carry(roots: &Roots, job: &JobId, way: &Way) -> Result<Carried, StoreError> {
    match try_carry(roots, job, way) {
        Ok(carried) => Ok(carried),
        Err(StoreError::Local { source, .. }) => Ok(Carried::Left(source.to_string())),
        Err(error @ (StoreError::LeadsOut(_) | StoreError::Outside(_))) => {
            Ok(Carried::Left(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

fn try_carry(roots: &Roots, job: &JobId, way: &Way) -> Result<Carried, StoreError> {
    let Way { from, to, is_move } = way;
    let of = |at: &Location| StoreError::local(at.to_string());
    let (to_folder, to_name) = roots.make_folder_of(to)?;
    let unnamed = hidden(job);
    to_folder.remove_own(&prefix(job)).map_err(of(to))?;
    let (folder, name) = roots.folder_of(from)?;
    match folder.kind(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // An attempt that was killed has moved it already.
            let is_there = *is_move && to_folder.has(&to_name).map_err(of(to))?;
            return Ok(match is_there {
                true => Carried::There,
                false => Carried::Left("it is gone".to_owned()),
            });
        }
        Ok(kind) if kind.is_symlink() => {
            return Ok(Carried::Left("it is a link".to_owned()));
        }
        Ok(kind) if !kind.is_file() => return Ok(Carried::Left("it is no file".to_owned())),
        kind => kind.map_err(of(from))?,
    };
    let sidecar = folder.open(&name).map_err(of(from))?;
    if to_folder.has(&to_name).map_err(of(to))? {
        if !is_same(&sidecar, &to_folder, &to_name, *is_move).map_err(of(to))? {
            return Ok(occupied(to));
        }
    } else {
        // A second name is no copy of its own: a change of one would change the other.
        let is_linked = *is_move && folder.link(&name, &to_folder, &to_name).is_ok();
        if !is_linked {
            match copy_file(&sidecar.file, &to_folder, &unnamed, &to_name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Ok(occupied(to));
                }
                copied => copied.map_err(of(to))?,
            }
        }
        to_folder.sync().map_err(of(to))?;
    }
    if *is_move {
        folder.remove(&name).map_err(of(from))?;
        folder.sync().map_err(of(from))?;
    }
    Ok(Carried::There)
}

/// Whether a moved sidecar can get its old name back: the name is free, or it is its own.
pub(super) fn is_free(roots: &Roots, from: &Location, to: &Location) -> Result<bool, StoreError> {
    let of = |at: &Location| StoreError::local(at.to_string());
    let (Some((folder, name)), Some((to_folder, to_name))) =
        (folder_of(roots, from)?, folder_of(roots, to)?)
    else {
        return Ok(true);
    };
    // What is gone cannot come back, and what has become a link stays where it is.
    let Ok(sidecar) = folder.open(&name) else {
        return Ok(true);
    };
    let is_taken = to_folder.has(&to_name).map_err(of(to))?;
    Ok(!is_taken || is_same(&sidecar, &to_folder, &to_name, true).map_err(of(to))?)
}

/// The folder of a location, if there is one, and the name in it.
fn folder_of(roots: &Roots, at: &Location) -> Result<Option<(OpenFolder, OsString)>, StoreError> {
    match roots.folder_of(at) {
        Err(StoreError::Missing(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// Whether a sidecar and the file of that name are one, or alike to the last byte. A sidecar that is moved may be given
/// up for the other file only if that has its time and permissions as well: it is a copy by an attempt that was killed.
fn is_same(sidecar: &Opened, folder: &OpenFolder, name: &OsStr, is_move: bool) -> io::Result<bool> {
    // A link or a folder is another file.
    let Ok(there) = folder.open(name) else {
        return Ok(false);
    };
    if there.identity == sidecar.identity {
        return Ok(true);
    }
    let (one, other) = (there.file.metadata()?, sidecar.file.metadata()?);
    let is_copy = one.modified()? == other.modified()? && one.permissions() == other.permissions();
    if one.len() != other.len() || is_move && !is_copy {
        return Ok(false);
    }
    Ok(Digest::of_file(&there.file)? == Digest::of_file(&sidecar.file)?)
}

/// The beginning of the names of copies while a job makes them.
pub(super) fn prefix(job: &JobId) -> String {
    format!(".ffmpeg-easy-{job}-")
}

pub(super) fn hidden(job: &JobId) -> OsString {
    format!("{}{}", prefix(job), Uuid::new_v4().simple()).into()
}
