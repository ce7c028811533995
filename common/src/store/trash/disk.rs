//! Sources on disks: checked before the encode, kept in the trash before their names change, removed afterwards.
//!
//! Each step leaves the name with the original or with the output. Each can be repeated after a crash.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};

use uuid::Uuid;

use super::error::ReplaceError;
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::replacement::HardLinks;
use crate::job::trash::{TrashEntry, TrashRecord};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::store::copy::copy_file;
use crate::store::marked::MARKER;
use crate::store::roots::{OpenFolder, Opened, ROOM_PREFIX, Roots};
use crate::store::{StoreError, local_input};
use crate::wire;

/// The first line of the marker of a trash.
pub(super) const MARK: &str = "ffmpeg-easy: trash\nThe originals of replaced files are kept here until their time is over. `producer undo` puts them back.\n";

/// An open file, and the folder that it was opened in.
pub(super) struct Found {
    pub folder: OpenFolder,
    pub name: OsString,
    pub opened: Opened,
    pub links: u64,
}

pub(super) fn local(at: &Location) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let what = at.to_string();
    move |source| StoreError::Local { what, source }
}

/// The plain file at a location; `None` if there is nothing, and an error for a link.
pub(super) fn find(roots: &Roots, at: &Location) -> Result<Option<Found>, ReplaceError> {
    let (folder, name) = match roots.folder_of(at) {
        Err(StoreError::Missing(_)) => return Ok(None),
        found => found?,
    };
    let kind = match folder.kind(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        kind => kind.map_err(local(at))?,
    };
    if kind.is_symlink() {
        return Err(ReplaceError::Link(at.clone()));
    }
    let links = cap_fs_ext::MetadataExt::nlink(&kind);
    let opened = folder.open(&name).map_err(local(at))?;
    Ok(Some(Found {
        folder,
        name,
        opened,
        links,
    }))
}

impl Found {
    /// Whether the file has the version that the job was made for.
    pub(super) fn is_version_of(&self, job: &Job, at: &Location) -> Result<bool, StoreError> {
        let metadata = self.opened.file.metadata().map_err(local(at))?;
        let now = local_input(at.clone(), &metadata);
        Ok((now.size, now.version) == (job.input.size, job.input.version.clone()))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.opened.identity == other.opened.identity
    }

    /// Whether both are one file, or alike to the last byte.
    pub(super) fn is_like(&self, other: &Self) -> io::Result<bool> {
        if self.is_same(other) {
            return Ok(true);
        }
        let size = |found: &Self| found.opened.file.metadata().map(|found| found.len());
        if size(self)? != size(other)? {
            return Ok(false);
        }
        Ok(Digest::of_file(&self.opened.file)? == Digest::of_file(&other.opened.file)?)
    }
}

/// The source of a job, still as it was enqueued. `entry` may already hold a second name of it.
fn source(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<Found, ReplaceError> {
    let at = &job.input.location;
    let Some(found) = find(roots, at)? else {
        return Err(gone(roots, at));
    };
    if !found.is_version_of(job, at)? {
        return Err(ReplaceError::Changed(at.clone()));
    }
    let hard_links = job.replacement.as_ref().map(|wanted| wanted.hard_links);
    if found.links > 1 && hard_links == Some(HardLinks::Refuse) {
        let kept = find(roots, &entry.original)?;
        let own = kept.is_some_and(|kept| kept.is_same(&found));
        let others = found.links - 1 - u64::from(own);
        if others > 0 {
            return Err(ReplaceError::HardLinked {
                source_file: at.clone(),
                others,
            });
        }
    }
    Ok(found)
}

/// Why a source is not there. Without its folder, it may be there again once a disk is mounted.
fn gone(roots: &Roots, at: &Location) -> ReplaceError {
    match roots.folder_of(at) {
        Ok(_) => ReplaceError::Gone(at.clone()),
        Err(StoreError::Missing(_)) => StoreError::Away {
            place: at.folder(),
            source: io::ErrorKind::NotFound.into(),
        }
        .into(),
        Err(error) => error.into(),
    }
}

/// Checks that nothing keeps the source from being replaced, and that what is at the trash is one. Writes nothing.
pub(super) fn foresee(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<(), ReplaceError> {
    replaceable(roots, job, entry)?;
    match roots.folder(&entry.trash) {
        Ok(folder) => refuse_foreign(&folder, &entry.trash),
        Err(_) => Ok(()),
    }
}

/// The source of a job, whose permissions and those of its folder say that it may go.
fn replaceable(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<Found, ReplaceError> {
    let at = &job.input.location;
    let found = source(roots, job, entry)?;
    if is_read_only(&found.opened.file).map_err(local(at))? {
        return Err(ReplaceError::ReadOnly(at.clone()));
    }
    if found.folder.is_read_only().map_err(of_folder(at))? {
        return Err(ReplaceError::ReadOnly(at.folder()));
    }
    Ok(found)
}

fn of_folder(source: &Location) -> impl FnOnce(io::Error) -> ReplaceError + use<> {
    let source_file = source.clone();
    move |error| ReplaceError::Folder { source_file, error }
}

/// Checks before the encode that the source can be replaced, and makes the trash.
pub(super) fn check(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<(), ReplaceError> {
    let at = &job.input.location;
    let found = replaceable(roots, job, entry)?;
    found.folder.try_room(0).map_err(of_folder(at))?;
    let trash = make_trash(roots, &entry.trash)?;
    if trash.device().map_err(local(&entry.trash))? != found.opened.identity.device {
        room(&trash, entry, job.input.size)?;
    }
    Ok(())
}

fn room(trash: &OpenFolder, entry: &TrashEntry, bytes: u64) -> Result<(), ReplaceError> {
    trash.try_room(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ReplaceError::NoRoom {
            trash: entry.trash.clone(),
            bytes,
        },
        _ => local(&entry.trash)(error).into(),
    })
}

/// Opens a trash. A missing or empty folder is marked; any other folder without a marker is somebody's own.
fn make_trash(roots: &Roots, trash: &Location) -> Result<OpenFolder, ReplaceError> {
    let made = roots.make_folder_of(&trash.join(MARKER));
    let (folder, _) = made.map_err(|error| not_made(trash, error))?;
    if is_trash(&folder) {
        return Ok(folder);
    }
    refuse_foreign(&folder, trash)?;
    let marker = OsStr::new(MARKER);
    let hidden = format!("{MARKER}.{}", Uuid::new_v4().simple());
    let written = write(&folder, hidden.as_ref(), marker, MARK.as_bytes());
    written.map_err(local(trash))?;
    Ok(folder)
}

/// Some file systems, such as /proc, answer that a new folder does not exist.
fn not_made(trash: &Location, error: StoreError) -> ReplaceError {
    let why = match &error {
        StoreError::Missing(_) => "its file system takes no folders".to_owned(),
        StoreError::Local { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            source.to_string()
        }
        _ => return error.into(),
    };
    let folder = trash.folder();
    ReplaceError::NotMade { folder, why }
}

/// Refuses a folder of somebody's own as a trash: one without a marker that is not empty.
fn refuse_foreign(folder: &OpenFolder, trash: &Location) -> Result<(), ReplaceError> {
    if is_trash(folder) {
        return Ok(());
    }
    let entries = folder.entries().map_err(local(trash))?;
    // A worker that was killed, or that makes the same trash just now, has such a file in it.
    let is_ours = |(name, _): &(String, _)| name.starts_with(MARKER);
    match entries.iter().all(is_ours) {
        true => Ok(()),
        false => Err(ReplaceError::NoTrash(trash.clone())),
    }
}

/// Whether a folder has the marker of a trash.
pub(super) fn is_trash(folder: &OpenFolder) -> bool {
    let Ok(opened) = folder.open(OsStr::new(MARKER)) else {
        return false;
    };
    let mut text = String::new();
    let first = MARK.lines().next();
    let read = opened.file.take(4096).read_to_string(&mut text);
    read.is_ok() && text.lines().next() == first
}

/// Writes a small file so that it appears whole.
fn write(folder: &OpenFolder, hidden: &OsStr, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let mut file = folder.create(hidden)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let named = written.and_then(|()| folder.rename(hidden, folder, name));
    named.inspect_err(|_| {
        let _ = folder.remove(hidden);
    })?;
    folder.sync()
}

/// Puts the source into the trash as well: by a second name where that can be, otherwise by a copy that is compared.
/// The record comes first. The source keeps its name.
pub(super) fn keep(
    roots: &Roots,
    job: &Job,
    entry: &TrashEntry,
    mut record: TrashRecord,
) -> Result<(), ReplaceError> {
    let at = &job.input.location;
    let found = source(roots, job, entry)?;
    make_trash(roots, &entry.trash)?;
    record.mode = mode(&found.opened.file).map_err(local(at))?;
    let (folder, name) = roots.make_folder_of(&entry.record)?;
    let unnamed = hidden(job);
    let written = write(&folder, &unnamed, &name, &wire::encode(&record));
    written.map_err(local(&entry.record))?;
    sync_up(roots, &entry.record, &entry.trash)?;

    let kept_at = &entry.original;
    if let Some(kept) = find(roots, kept_at)? {
        return match kept.is_like(&found).map_err(local(kept_at))? {
            true => Ok(()),
            false => Err(ReplaceError::Occupied(kept_at.clone())),
        };
    }
    let (folder, name) = roots.make_folder_of(kept_at)?;
    if found.folder.link(&found.name, &folder, &name).is_err() {
        room(&folder, entry, job.input.size)?;
        let unnamed = hidden(job);
        copy_file(&found.opened.file, &folder, &unnamed, &name).map_err(local(kept_at))?;
    }
    sync_up(roots, kept_at, &entry.trash)?;
    let kept = find(roots, kept_at)?;
    let is_kept = kept.map(|kept| kept.is_like(&found)).transpose();
    if is_kept.map_err(local(kept_at))? != Some(true) {
        return Err(ReplaceError::BadCopy(kept_at.clone()));
    }
    unchanged(roots, job, entry)
}

/// Checks that the source is still as it was enqueued, right before its name changes.
pub(super) fn unchanged(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<(), ReplaceError> {
    let found = source(roots, job, entry)?;
    let kept = find(roots, &entry.original)?;
    let size = |found: &Found| found.opened.file.metadata().map(|found| found.len());
    let is_kept = kept
        .map(|kept| Ok(size(&kept)? == size(&found)?))
        .transpose();
    match is_kept.map_err(local(&entry.original))? {
        Some(true) => Ok(()),
        _ => Err(ReplaceError::BadCopy(entry.original.clone())),
    }
}

/// The name of a copy while it is made.
pub(super) fn hidden(job: &Job) -> OsString {
    format!(".ffmpeg-easy-{}-{}", job.id, Uuid::new_v4().simple()).into()
}

/// Removes the copies and test files that killed programs left.
pub(super) fn remove_leftovers(folder: &OpenFolder, job: &JobId) {
    for prefix in [&format!(".ffmpeg-easy-{job}-"), ROOM_PREFIX] {
        if let Err(error) = folder.remove_own(prefix) {
            tracing::debug!(%job, %error, "hidden files may be left");
        }
    }
}

/// Syncs the folders from that of a file up to the one that holds the trash.
fn sync_up(roots: &Roots, from: &Location, trash: &Location) -> Result<(), StoreError> {
    let mut folder = from.folder();
    loop {
        let opened = roots.folder(&folder)?;
        opened.sync().map_err(local(&folder))?;
        if folder == *trash || !folder.is_below(trash) {
            break;
        }
        folder = folder.folder();
    }
    let above = trash.folder();
    let opened = roots.folder(&above)?;
    opened.sync().map_err(local(&above))
}

/// Removes the source after the output has appeared under another name, if the trash holds it. Returns whether the
/// source is gone: a source that has changed stays.
pub(super) fn remove(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<bool, ReplaceError> {
    let at = &job.input.location;
    if job.replaces_in_place() {
        return Ok(true);
    }
    let Some(found) = find(roots, at)? else {
        return Ok(true);
    };
    let kept = find(roots, &entry.original)?;
    let is_kept = kept.map(|kept| kept.is_like(&found)).transpose();
    if is_kept.map_err(local(at))? != Some(true) || !found.is_version_of(job, at)? {
        return Ok(false);
    }
    found.folder.remove(&found.name).map_err(local(at))?;
    found.folder.sync().map_err(local(at))?;
    Ok(true)
}

/// Takes the source out of the trash again if it still has its own name: nothing was replaced.
pub(super) fn drop_entry(roots: &Roots, job: &Job, entry: &TrashEntry) -> Result<(), ReplaceError> {
    let at = &job.input.location;
    if let Some(kept) = find(roots, &entry.original)? {
        let found = find(roots, at)?;
        let is_there = found.map(|found| found.is_like(&kept)).transpose();
        if is_there.map_err(local(at))? != Some(true) {
            return Ok(());
        }
        kept.folder
            .remove(&kept.name)
            .map_err(local(&entry.original))?;
    }
    remove_entry(roots, entry, &job.id)
}

/// Removes the record of an entry whose file is gone, and the folders that are empty then.
pub(super) fn remove_entry(
    roots: &Roots,
    entry: &TrashEntry,
    job: &JobId,
) -> Result<(), ReplaceError> {
    roots.remove(&entry.record)?;
    if let Ok(trash) = roots.folder(&entry.trash) {
        remove_leftovers(&trash, job);
    }
    for file in [&entry.original, &entry.record] {
        if let Ok((folder, _)) = roots.folder_of(file) {
            remove_leftovers(&folder, job);
        }
        let mut folder = file.folder();
        while folder.is_below(&entry.trash) {
            // A folder that is gone already was removed before a crash.
            let is_gone = match roots.folder_of(&folder) {
                Ok((above, name)) => match above.remove_folder(&name) {
                    Err(error) => error.kind() == io::ErrorKind::NotFound,
                    Ok(()) => true,
                },
                Err(error) => matches!(error, StoreError::Missing(_)),
            };
            if !is_gone {
                break;
            }
            folder = folder.folder();
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_read_only(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o222 == 0)
}

#[cfg(not(unix))]
fn is_read_only(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.permissions().readonly())
}

#[cfg(unix)]
fn mode(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Some(file.metadata()?.permissions().mode() & 0o7777))
}

#[cfg(not(unix))]
fn mode(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}
