//! Making private folders, and measuring and removing whole trees.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::Path;

use cap_fs_ext::DirExt;
use cap_std::fs::Dir;
use uuid::Uuid;

use crate::store::scratch::REMOVED;

/// Makes a folder and its missing parents, for this user alone.
///
/// # Errors
/// The system refuses.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a folder for this user alone.
///
/// # Errors
/// The name is taken, or the system refuses.
pub fn create_private(dir: &Dir, name: impl AsRef<Path>) -> io::Result<()> {
    #[allow(unused_mut)]
    let mut builder = cap_std::fs::DirBuilder::new();
    #[cfg(unix)]
    cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
    dir.create_dir_with(name, &builder)
}

/// Removes a file, or a folder with all that it holds. For a folder of any depth this needs little memory and few
/// descriptors: subfolders are moved up before they are emptied. An entry that is gone already is fine.
///
/// # Errors
/// The system refuses.
pub fn remove_tree(dir: &Dir, name: &OsStr) -> io::Result<()> {
    let mut trees = vec![name.to_owned()];
    while let Some(tree) = trees.pop() {
        match remove_level(dir, &tree, &mut trees) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn remove_level(dir: &Dir, name: &OsStr, trees: &mut Vec<OsString>) -> io::Result<()> {
    if !dir.symlink_metadata(name)?.is_dir() {
        return dir.remove_file_or_symlink(name);
    }
    let folder = match dir.open_dir_nofollow(name) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let _ = permit(dir, name);
            dir.open_dir_nofollow(name)?
        }
        folder => folder?,
    };
    for entry in entries(&folder)? {
        match folder.symlink_metadata(&entry) {
            Ok(metadata) if metadata.is_dir() => {
                let moved = OsString::from(removed());
                let rename = || folder.rename(&entry, dir, &moved);
                rename().or_else(|_| {
                    permit(&folder, &entry)?;
                    permit(dir, name)?;
                    rename()
                })?;
                trees.push(moved);
            }
            Ok(_) => folder.remove_file_or_symlink(&entry).or_else(|_| {
                permit(dir, name)?;
                folder.remove_file_or_symlink(&entry)
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    drop(folder);
    dir.remove_dir(name)
}

/// A new name for an entry that is about to be removed.
pub fn removed() -> String {
    format!("{REMOVED}{}", Uuid::new_v4())
}

/// Bytes of the files in a folder and below it; no link is followed.
pub fn size(dir: &Dir) -> u64 {
    let mut total = 0;
    let mut folders: Vec<Dir> = dir.try_clone().into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in folder.entries().into_iter().flatten().flatten() {
            match entry.metadata() {
                // No encode has more folders than that.
                Ok(metadata) if metadata.is_dir() => {
                    if folders.len() < 64 {
                        folders.extend(folder.open_dir_nofollow(entry.file_name()));
                    }
                }
                Ok(metadata) => total += metadata.len(),
                // The entry was removed just now.
                Err(_) => {}
            }
        }
    }
    total
}

/// Gives this user all rights to a folder.
#[cfg(unix)]
fn permit(dir: &Dir, name: &OsStr) -> io::Result<()> {
    use cap_std::fs::{Permissions, PermissionsExt};
    dir.set_symlink_permissions(name, Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn permit(_: &Dir, _: &OsStr) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// The names in a folder.
pub(super) fn entries(dir: &Dir) -> io::Result<Vec<OsString>> {
    dir.entries()?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}
