//! Outputs that take the places of their sources, and `producer undo`.

mod api;
mod farm;
mod here;
mod sidecars;
mod sweep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file as a person sees it: its bytes, when it was modified, and its permissions.
pub(crate) type Seen = (Vec<u8>, SystemTime, u32);

/// All files below a folder, hidden ones too, but for the markers of trashes.
pub(crate) fn seen(folder: &Path) -> BTreeMap<PathBuf, Seen> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(&here).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.metadata().unwrap());
            if kind.is_dir() {
                folders.push(path);
            } else if entry.file_name() != "ffmpeg-easy.mark" {
                let below = path.strip_prefix(folder).unwrap().to_owned();
                let mode = kind.permissions().mode() & 0o7777;
                let bytes = std::fs::read(&path).unwrap();
                found.insert(below, (bytes, kind.modified().unwrap(), mode));
            }
        }
    }
    found
}

/// The names of the files in a folder that are not in its trash.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let names = seen(folder).into_keys();
    let names = names.map(|path| path.display().to_string());
    names
        .filter(|name| !name.starts_with(".ffmpeg-easy-trash/"))
        .collect()
}

/// The folder of a trash with the name of a batch.
pub(crate) fn batch_in(folder: &Path) -> String {
    let trash = folder.join(".ffmpeg-easy-trash");
    let entries = std::fs::read_dir(trash).unwrap().flatten();
    let mut folders = entries.filter(|entry| entry.path().is_dir());
    let batch = folders.next().expect("a batch").file_name();
    assert!(folders.next().is_none(), "more than one batch");
    batch.into_string().unwrap()
}
