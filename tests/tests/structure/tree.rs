//! The files of a source tree.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of built or downloaded files, and that of git.
const FOREIGN: [&str; 3] = [".git", "target", "node_modules"];

/// The entries of a folder that belong to the project, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read the folder: {error}: {}", folder.display()))
        .map(|entry| entry.expect("an entry of a folder can be read").path())
        .filter(|path| !FOREIGN.iter().any(|name| path.ends_with(name)))
        .collect();
    entries.sort();
    entries
}

/// The folders below a folder, and the folder itself.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let below = entries(folder).into_iter().filter(|path| path.is_dir());
    std::iter::once(folder.to_owned())
        .chain(below.flat_map(|path| folders(&path)))
        .collect()
}

/// The files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    folders(folder)
        .iter()
        .flat_map(|folder| entries(folder))
        .filter(|path| path.is_file())
        .collect()
}

/// The text of a file; `None` if it holds no text.
pub(crate) fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path)
        .unwrap_or_else(|error| panic!("cannot read the file: {error}: {}", path.display()));
    String::from_utf8(bytes).ok()
}

/// A path as the findings print it.
pub(crate) fn name(repository: &Path, path: &Path) -> String {
    path.strip_prefix(repository)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The root files of a package's crates: its library, its programs, its tests and its examples.
pub(crate) fn roots(repository: &Path, package: &Path) -> Vec<PathBuf> {
    let package = repository.join(package);
    let source = package.join("src");
    let single = [source.join("lib.rs"), source.join("main.rs")];
    let many = [
        source.join("bin"),
        package.join("tests"),
        package.join("examples"),
    ];
    let many = many
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| entries(folder))
        .map(|path| {
            if path.is_dir() {
                path.join("main.rs")
            } else {
                path
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    single
        .into_iter()
        .chain(many)
        .filter(|path| path.is_file())
        .collect()
}

/// A made-up tree for the tests of the checks.
#[cfg(test)]
pub(crate) fn made_up(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}
