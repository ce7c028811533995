//! A made-up library: films of many kinds with the files beside them, each with its own bytes, so that any exchange of two
//! files is seen.

pub mod entries;
mod kind;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::names::digest::Digest;

use crate::paths;
pub use kind::{Expected, Kind};

/// The languages of the films, one after the other.
const LANGUAGES: [&str; 5] = ["eng", "ger", "fre", "spa", "jpn"];

/// A file as it was before the farm touched the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub digest: Digest,
    pub modified: SystemTime,
    /// The permissions.
    pub mode: u32,
}

impl Original {
    /// The file that has this name now.
    pub fn of(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("it is there");
        let metadata = file.metadata().expect("it is read");
        Self {
            digest: Digest::of_file(&file).expect("it is read"),
            modified: metadata.modified().expect("the system tells"),
            mode: metadata.mode(),
        }
    }
}

/// A film of the library.
#[derive(Clone, Debug)]
pub struct Film {
    pub kind: Kind,
    /// Its path below the library.
    pub path: PathBuf,
}

/// A library on disk.
pub struct Library {
    pub folder: PathBuf,
    pub films: Vec<Film>,
    /// Every file, with its path below the library.
    pub originals: BTreeMap<PathBuf, Original>,
}

impl Library {
    /// Makes a library with so many films; the kinds take turns.
    pub fn make(folder: &Path, films: usize) -> Self {
        let masters = folder.with_extension("masters");
        std::fs::create_dir_all(&masters).expect("the disk has room");
        for kind in Kind::ALL {
            kind.make(&masters.join(kind.file()));
        }
        let kinds = Kind::ALL.iter().cycle().take(films).enumerate();
        let films: Vec<Film> = kinds
            .map(|(number, kind)| film(&masters, folder, *kind, number))
            .collect();
        let mut library = Self {
            folder: folder.to_owned(),
            films,
            originals: BTreeMap::new(),
        };
        library.originals = library.present();
        library
    }

    /// Every file that is there now and is not hidden, with its path below the library.
    pub fn present(&self) -> BTreeMap<PathBuf, Original> {
        let names = crate::outside::names(&self.folder).into_iter();
        let is_hidden = |name: &PathBuf| {
            let mut parts = name.iter();
            parts.any(|part| part.as_encoded_bytes().starts_with(b"."))
        };
        names
            .filter(|name| !is_hidden(name))
            .map(|name| (name.clone(), Original::of(&self.folder.join(&name))))
            .collect()
    }
}

/// One film with the files beside it, in a folder of its kind.
fn film(masters: &Path, library: &Path, kind: Kind, number: usize) -> Film {
    let extension = Path::new(kind.file()).extension().expect("it has one");
    let extension = extension.to_str().expect("text");
    let stem = format!(
        "Film {number:03} ({}) [{}]",
        1950 + number % 70,
        kind.word()
    );
    let path = Path::new(kind.folder()).join(format!("{stem}.{extension}"));
    let file = library.join(&path);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("the disk has room");
    let master = masters.join(kind.file());
    if kind.is_media() {
        let title = format!("title=Film {number}");
        let language = format!("language={}", LANGUAGES[number % LANGUAGES.len()]);
        let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
        ffmpeg
            .args(["-v", "error", "-nostdin", "-y", "-i"])
            .arg(&master);
        ffmpeg.args(["-map", "0", "-c", "copy", "-metadata", &title]);
        ffmpeg.args(["-metadata:s:a", &language]).arg(&file);
        let status = ffmpeg.status().expect("ffmpeg runs");
        assert!(status.success(), "{}", file.display());
    } else {
        let mut bytes = std::fs::read(&master).expect("it was made");
        bytes.extend(number.to_be_bytes());
        std::fs::write(&file, bytes).expect("the disk has room");
    }
    kind.spoil(&file, number);
    for (end, text) in kind.sidecars() {
        let name = format!("{stem}{end}");
        std::fs::write(file.with_file_name(name), format!("{text} {number}\n")).expect("written");
    }
    if let Some(name) = kind.second_name(&stem, extension) {
        std::fs::hard_link(&file, file.with_file_name(name)).expect("the disk has links");
    }
    // Each film has a time of its own, long ago.
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + number as u64);
    let opened = std::fs::File::options().append(true).open(&file);
    opened
        .expect("it is ours")
        .set_modified(modified)
        .expect("set");
    let permissions = std::fs::Permissions::from_mode(kind.mode());
    std::fs::set_permissions(&file, permissions).expect("it is ours");
    Film { kind, path }
}
