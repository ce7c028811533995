//! Finding the programs that this one starts.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

/// A program by name, in the folders of PATH.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{EXE_SUFFIX}");
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|path| is_program(path))
}

/// A program by name, in the folder of this one.
pub(crate) fn beside_this(name: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let path = this.parent()?.join(format!("{name}{EXE_SUFFIX}"));
    is_program(&path).then_some(path)
}

/// What a person named: a path, or a bare name to be looked up.
pub(crate) fn named(path: &Path) -> Option<PathBuf> {
    if is_program(path) {
        return std::path::absolute(path).ok();
    }
    let is_bare = path.components().count() == 1;
    is_bare.then(|| in_path(path.to_str()?)).flatten()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
