//! Putting a source on a disk back. Each step leaves the original or the output under the name, and can be repeated.

use std::io;

use super::Undone;
use super::disk::{Found, find, hidden, local, remove_entry, remove_leftovers};
use super::error::{ReplaceError, UndoError};
use crate::job::Job;
use crate::job::companion::Companion;
use crate::job::run::report::Report;
use crate::job::trash::TrashEntry;
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::store::StoreError;
use crate::store::copy::copy_file;
use crate::store::roots::Roots;

fn found(roots: &Roots, at: &Location) -> Result<Option<Found>, UndoError> {
    match find(roots, at) {
        Ok(found) => Ok(found),
        // A link is not what any job made.
        Err(ReplaceError::Store(error)) => Err(error.into()),
        Err(_) => Err(UndoError::Store(StoreError::LeadsOut(at.clone()))),
    }
}

fn has_content(
    found: &Found,
    size: u64,
    digest: &Digest,
    at: &Location,
) -> Result<bool, StoreError> {
    let metadata = found.opened.file.metadata().map_err(local(at))?;
    if metadata.len() != size {
        return Ok(false);
    }
    Ok(Digest::of_file(&found.opened.file).map_err(local(at))? == *digest)
}

/// Puts the original back, and removes the output. `is_dry` only finds out whether that can be done.
pub(super) fn undo(
    roots: &Roots,
    job: &Job,
    entry: &TrashEntry,
    (report, digest): (&Report, &Digest),
    is_dry: bool,
) -> Result<Undone, UndoError> {
    let (source, output) = (&job.input.location, &job.output);
    let kept = found(roots, &entry.original)?;
    let made = found(roots, output)?;
    let is_made = match &made {
        Some(made) => Some(has_content(made, report.output_size, digest, output)?),
        None => None,
    };
    let is_original = |found: &Found| found.is_version_of(job, source);
    let Some(kept) = kept else {
        // An undo that was interrupted has put the original back already.
        let at_source = found(roots, source)?;
        let is_back = at_source.as_ref().map(is_original).transpose()?;
        let is_gone = job.replaces_in_place() || is_made.is_none();
        if is_back == Some(true) && is_gone && is_made != Some(true) {
            if !is_dry {
                finish(roots, job, entry, report)?;
            }
            return Ok(Undone::Already);
        }
        return Err(UndoError::Emptied(entry.original.clone()));
    };
    if !is_original(&kept)? {
        return Err(UndoError::OriginalChanged(entry.original.clone()));
    }
    // An undo that was interrupted has put the original back already, and the trash still holds it.
    let is_back = match &made {
        Some(made) if job.replaces_in_place() && is_made == Some(false) => {
            made.is_like(&kept).map_err(local(source))?
        }
        _ => false,
    };
    if is_made == Some(false) && !is_back {
        return Err(UndoError::Changed(
            Box::new(output.clone()),
            Box::new(entry.original.clone()),
        ));
    }
    if is_back {
        if !is_dry {
            remove_kept(&kept, entry)?;
        }
    } else if job.replaces_in_place() {
        if !is_dry {
            put_over(roots, job, &kept, source).map_err(local(source))??;
            remove_kept(&kept, entry)?;
        }
    } else {
        let is_free = match found(roots, source)? {
            None => true,
            Some(there) if there.is_like(&kept).map_err(local(source))? => false,
            Some(_) => {
                return Err(UndoError::Occupied(
                    Box::new(source.clone()),
                    Box::new(entry.original.clone()),
                ));
            }
        };
        if !is_dry {
            if is_free {
                put_beside(roots, job, &kept, source).map_err(local(source))??;
            }
            if let Some(made) = made {
                made.folder.remove(&made.name).map_err(local(output))?;
                made.folder.sync().map_err(local(output))?;
            }
            remove_kept(&kept, entry)?;
        }
    }
    if !is_dry {
        finish(roots, job, entry, report)?;
    }
    Ok(Undone::Now)
}

/// Gives the original its name, in the place of the output.
fn put_over(
    roots: &Roots,
    job: &Job,
    kept: &Found,
    to: &Location,
) -> io::Result<Result<(), StoreError>> {
    let (folder, name) = match roots.make_folder_of(to) {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    remove_leftovers(&folder, &job.id);
    // A second name first: the trash gives the original up only when it is back.
    let hidden = hidden(job);
    if kept.folder.link(&kept.name, &folder, &hidden).is_err() {
        let copied = super::disk::hidden(job);
        copy_file(&kept.opened.file, &folder, &copied, &hidden)?;
    }
    folder.rename(&hidden, &folder, &name).inspect_err(|_| {
        let _ = folder.remove(&hidden);
    })?;
    folder.sync()?;
    Ok(Ok(()))
}

/// Gives the original its name, which is free.
fn put_beside(
    roots: &Roots,
    job: &Job,
    kept: &Found,
    to: &Location,
) -> io::Result<Result<(), StoreError>> {
    let (folder, name) = match roots.make_folder_of(to) {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    remove_leftovers(&folder, &job.id);
    if kept.folder.link(&kept.name, &folder, &name).is_err() {
        copy_file(&kept.opened.file, &folder, &hidden(job), &name)?;
    }
    folder.sync()?;
    Ok(Ok(()))
}

fn remove_kept(kept: &Found, entry: &TrashEntry) -> Result<(), StoreError> {
    let removed = kept.folder.remove(&kept.name);
    removed.map_err(local(&entry.original))
}

/// Removes what else belongs to the replacement: files that were made beside the output, and the record.
fn finish(roots: &Roots, job: &Job, entry: &TrashEntry, report: &Report) -> Result<(), UndoError> {
    for Companion {
        suffix,
        size,
        digest,
    } in &report.companions
    {
        let at = suffix.beside(&job.output);
        if let Some(made) = found(roots, &at)?
            && has_content(&made, *size, digest, &at)?
        {
            made.folder.remove(&made.name).map_err(local(&at))?;
        }
    }
    if let Ok((folder, _)) = roots.folder_of(&job.input.location) {
        remove_leftovers(&folder, &job.id);
    }
    match remove_entry(roots, entry, &job.id) {
        Err(ReplaceError::Store(error)) => Err(error.into()),
        _ => Ok(()),
    }
}
