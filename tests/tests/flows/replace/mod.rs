//! Outputs that take the places of their sources, and `producer undo`.

mod api;
mod farm;
mod here;
mod page;
mod sidecars;
mod sweep;
mod undo_later;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file as a person sees it: its bytes, when it was modified, and its permissions.
pub(crate) type Seen = (Vec<u8>, SystemTime, u32);

/// All files below a folder, hidden ones too, but for the markers of trashes, and for what goes away during the look.
pub(crate) fn seen(folder: &Path) -> BTreeMap<PathBuf, Seen> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in there(std::fs::read_dir(&here))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let Some(kind) = there(entry.metadata()) else {
                continue;
            };
            if kind.is_dir() {
                folders.push(path);
            } else if entry.file_name() != "ffmpeg-easy.mark" {
                let below = path.strip_prefix(folder).unwrap().to_owned();
                let mode = kind.permissions().mode() & 0o7777;
                let Some(bytes) = there(std::fs::read(&path)) else {
                    continue;
                };
                found.insert(below, (bytes, kind.modified().unwrap(), mode));
            }
        }
    }
    found
}

/// What was found; `None` if it has gone meanwhile.
fn there<T>(looked: std::io::Result<T>) -> Option<T> {
    match looked {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        looked => Some(looked.unwrap()),
    }
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
    let mut batches = batches_in(folder);
    assert_eq!(batches.len(), 1, "{batches:?}");
    batches.remove(0)
}

/// The folders of a trash with the names of batches.
pub(crate) fn batches_in(folder: &Path) -> Vec<String> {
    let trash = folder.join(".ffmpeg-easy-trash");
    let entries = std::fs::read_dir(trash).unwrap().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    names.collect()
}
