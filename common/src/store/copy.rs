//! Copies of files on disks, with their attributes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

use crate::names::digest::{Digest, Digester};
use crate::store::roots::OpenFolder;

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

/// Copies a file with its attributes. The copy appears whole, and replaces nothing.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if the name is taken; also if the system refuses.
pub(super) fn copy_file(
    mut from: &File,
    folder: &OpenFolder,
    hidden: &OsStr,
    name: &OsStr,
) -> io::Result<()> {
    from.rewind()?;
    let mut copied = || {
        let mut to = folder.create(hidden)?;
        let metadata = from.metadata()?;
        // Set before the copy, so that nobody can read a part of a private file.
        let _ = to.set_permissions(metadata.permissions());
        let mut digester = Digester::default();
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => {
                    #[cfg(test)]
                    crate::store::roots::fault::point();
                    digester.add(&piece[..length]);
                    to.write_all(&piece[..length])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        own_like(&to, &metadata);
        if let Ok(modified) = metadata.modified() {
            to.set_modified(modified)?;
        }
        to.sync_all()?;
        drop(to);
        let copy = folder.open(hidden)?;
        if Digest::of_file(&copy.file)? != digester.finish() {
            return Err(io::Error::other("the copy is not like the file"));
        }
        folder.settle(hidden, name, false)
    };
    copied().inspect_err(|_| {
        let _ = folder.remove(hidden);
    })
}

/// Gives a file the owner of another one, where this user may do so.
fn own_like(file: &File, like: &std::fs::Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let _ = fchown(file, Some(like.uid()), Some(like.gid()));
        // A new owner takes away some permissions.
        let _ = file.set_permissions(like.permissions());
    }
    #[cfg(not(unix))]
    let _ = (file, like);
}
