//! Paths that a person names.

use std::path::{Path, PathBuf};

/// The absolute path with its symbolic links resolved, as far as it exists. A link to a file at its end stays: outputs
/// are named after the link.
///
/// # Errors
/// Where the current folder is missing or a part of the path cannot be read.
pub(crate) fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) if absolute.is_file() => Ok(parent.canonicalize()?.join(name)),
        _ => resolved_folder(&absolute),
    }
}

fn resolved_folder(absolute: &Path) -> std::io::Result<PathBuf> {
    match absolute.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            match (absolute.parent(), absolute.file_name()) {
                (Some(parent), Some(name)) => Ok(resolved_folder(parent)?.join(name)),
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}
