//! Finding the programs that this one starts.

use std::path::{Path, PathBuf};

/// A program by name, in the folders of PATH.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    which::which(name).ok()
}

/// A program by name, in the folder of this one.
pub(crate) fn beside_this(name: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    which::which(this.with_file_name(name)).ok()
}

/// A program that a person named: by its path, or by a bare name that is looked up in PATH.
pub(crate) fn named(path: &Path) -> Option<PathBuf> {
    let here = std::path::absolute(path).ok()?;
    which::which(here).or_else(|_| which::which(path)).ok()
}
