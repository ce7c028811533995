//! Paths that a person names.

use std::path::{Path, PathBuf};

use common::names::location::Location;

use crate::cli::exit::Error;

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

/// The absolute location of an output folder that a person named.
pub(crate) fn output_folder(text: &Path) -> Result<Location, Error> {
    if let Some(text) = text.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        return match location.path() {
            Some(path) => local_folder(&path),
            None => Ok(location),
        };
    }
    local_folder(text)
}

fn local_folder(path: &Path) -> Result<Location, Error> {
    let failed = |why: String| {
        Error::usage(format!(
            "cannot use the output folder {}: {why}",
            path.display()
        ))
    };
    let resolved: PathBuf = resolved(path).map_err(|error| failed(error.to_string()))?;
    if resolved.exists() && !resolved.is_dir() {
        return Err(failed("it is a file".to_owned()));
    }
    Location::file(&resolved).map_err(Error::usage)
}
