//! Lists the media of a library: one walk through a folder, or one listing of a bucket, without a request for each
//! file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use common::job::input::Input;
use common::library::Library;
use common::names::location::Location;
use common::names::media;
use common::recipe::Video;
use common::store::roots::{Identity, OpenFolder, Roots};
use common::store::{StoreError, Stores, modified_input};

/// The media of a library.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The files, each with its path below the library's folder.
    pub files: Vec<(String, Input)>,
    /// Folders that could not be read, each with the reason. Their files are not gone.
    pub unreadable: Vec<(Location, String)>,
    /// Where the library's folder really is, without links.
    pub real: Option<Location>,
    /// The folders that were listed, with their paths without links.
    pub folders: HashMap<Identity, Location>,
}

impl Listing {
    /// Whether a file may still be there although it was not seen.
    pub(super) fn may_hold(&self, file: &Location) -> bool {
        let mut folders = self.unreadable.iter();
        folders.any(|(folder, _)| file.is_below(folder))
    }

    /// The other path of a folder that was listed already.
    fn other_path(&mut self, folder: &OpenFolder) -> Option<Location> {
        let identity = folder.identity().ok().flatten()?;
        let path = Location::file(folder.path()).ok()?;
        match self.folders.entry(identity) {
            Entry::Occupied(other) if *other.get() != path => Some(other.get().clone()),
            Entry::Occupied(_) => None,
            Entry::Vacant(new) => {
                new.insert(path);
                None
            }
        }
    }
}

/// What counts as media of a library.
struct Wanted {
    takes_sound: bool,
    trash: Option<Location>,
}

impl Wanted {
    /// Whether a name may be a file or folder of the library. Hidden ones are not: results that are about to appear have
    /// such names.
    fn has_name(name: &str) -> bool {
        !name.starts_with('.')
    }

    fn is_media(&self, name: &str) -> bool {
        let name = Path::new(name);
        media::is_video(name) || (self.takes_sound && media::is_sound(name))
    }

    fn is_trash(&self, folder: &Location) -> bool {
        self.trash.as_ref() == Some(folder)
    }
}

/// Lists a library.
///
/// # Errors
/// The library's folder itself cannot be read.
pub(super) async fn list(stores: &Stores, library: &Library) -> Result<Listing, StoreError> {
    let wanted = Wanted {
        takes_sound: library.recipe.video == Video::None,
        trash: library
            .replacement()
            .map(|replacement| replacement.trash.clone()),
    };
    let place = &library.location;
    if place.is_remote() {
        return Ok(of_bucket(place, stores.list(place).await?, &wanted));
    }
    let top = place.clone();
    let walk = move |roots: &Roots, _: &Location| of_folder(roots, &top, &wanted);
    stores.on_disk(&place.join("file"), walk).await
}

fn of_bucket(place: &Location, objects: Vec<Input>, wanted: &Wanted) -> Listing {
    let base = place.key();
    let mut listing = Listing::default();
    for input in objects {
        let key = input.location.key();
        let Some(path) = key
            .strip_prefix(&base)
            .map(|path| path.trim_start_matches('/'))
        else {
            continue;
        };
        let in_trash = || {
            let trash = wanted.trash.as_ref();
            trash.is_some_and(|trash| input.location.is_below(trash))
        };
        let has_name = path.split('/').all(Wanted::has_name);
        if has_name && !path.is_empty() && wanted.is_media(path) && !in_trash() {
            listing.files.push((path.to_owned(), input));
        }
    }
    listing
}

fn of_folder(roots: &Roots, top: &Location, wanted: &Wanted) -> Result<Listing, StoreError> {
    let mut listing = Listing::default();
    let opened = roots.folder(top)?;
    listing.real = Location::file(opened.path()).ok();
    // Folders are opened one after the other: a library may have more than a program may hold open.
    let mut folders = vec![(String::new(), top.clone(), Some(opened))];
    while let Some((path, place, opened)) = folders.pop() {
        let folder = match opened.map_or_else(|| roots.folder(&place), Ok) {
            Ok(folder) => folder,
            Err(StoreError::Missing(_)) => continue,
            Err(error) => {
                listing.unreadable.push((place, error.to_string()));
                continue;
            }
        };
        if let Some(other) = listing.other_path(&folder) {
            let why = format!("it is {other} under another path, so its files are left out");
            listing.unreadable.push((place, why));
            continue;
        }
        let entries = match folder.entries() {
            Ok(mut entries) => {
                // The last is opened first. Of several paths of one folder, it is the same that counts in every scan.
                entries.sort_by(|(one, _), (other, _)| other.cmp(one));
                entries
            }
            Err(source) if place == *top => {
                return Err(StoreError::Local {
                    what: place.to_string(),
                    source,
                });
            }
            Err(error) => {
                listing.unreadable.push((place, error.to_string()));
                continue;
            }
        };
        drop(folder);
        for (name, kind) in entries {
            if !Wanted::has_name(&name) {
                continue;
            }
            let at = place.join(&name);
            let below = match path.is_empty() {
                true => name.clone(),
                false => format!("{path}/{name}"),
            };
            // Links are left out: a file has one place in a library.
            if kind.is_dir() && !wanted.is_trash(&at) {
                folders.push((below, at, None));
            } else if kind.is_file() && wanted.is_media(&name) {
                let modified = kind.modified().ok().map(|time| time.into_std());
                let input = modified_input(at, kind.len(), modified);
                listing.files.push((below, input));
            }
        }
    }
    listing.files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(listing)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::library::paths::Paths;

    /// Says in which folder the child of the test finds its mounts.
    const FOLDER: &str = "FFMPEG_EASY_TEST_MOUNTS";

    #[test]
    fn a_bind_mount_is_the_folder_itself() {
        if let Ok(folder) = std::env::var(FOLDER) {
            return look(Path::new(&folder));
        }
        let disk = tempfile::tempdir().expect("a folder");
        let top = disk.path().canonicalize().expect("there");
        for folder in ["films/a", "films/bind", "elsewhere"] {
            fs::create_dir_all(top.join(folder)).expect("made");
        }
        fs::write(top.join("films/a/Film.mkv"), "film").expect("written");
        // The mounts are in a namespace of their own, and end with it.
        let mounts = "mount --bind films/a films/bind && mount --bind films elsewhere";
        let in_namespace = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", script]);
            command.current_dir(&top).env(FOLDER, &top);
            command
        };
        if !in_namespace(mounts)
            .status()
            .is_ok_and(|status| status.success())
        {
            common::say!("skipped: this machine permits no bind mounts");
            return;
        }
        let program = std::env::current_exe().expect("this test");
        let name = "library::list::tests::a_bind_mount_is_the_folder_itself";
        let script = format!("{mounts} && exec '{}' --exact {name}", program.display());
        let done = in_namespace(&script).output().expect("it runs");
        let told = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success() && told.contains("1 passed"),
            "{told}{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }

    fn look(top: &Path) {
        let roots = Roots::new([top]).expect("a folder");
        let at = |name: &str| Location::file(&top.join(name)).expect("absolute");
        let wanted = Wanted {
            takes_sound: false,
            trash: None,
        };
        let listing = of_folder(&roots, &at("films"), &wanted).expect("listed");
        let files: Vec<&str> = listing.files.iter().map(|(path, _)| &**path).collect();
        assert_eq!(files, ["a/Film.mkv"], "a film has one path");
        assert!(listing.may_hold(&at("films/bind/Film.mkv")));
        let mut paths = Paths::new(listing.folders.clone());
        let mut located = |name: &str| paths.locate(&roots.way(&at(name)).expect("a way"));
        let found: BTreeMap<&str, _> = [
            "films",
            "films/bind",
            "films/bind/o",
            "elsewhere",
            "elsewhere/bind/o/new",
            "other/o",
        ]
        .into_iter()
        .map(|name| (name, located(name).expect("text")))
        .collect();
        assert_eq!(found["films"], at("films"));
        assert_eq!(found["films/bind"], at("films/a"));
        assert_eq!(found["films/bind/o"], at("films/a/o"));
        assert_eq!(found["elsewhere"], at("films"));
        assert!(found["elsewhere/bind/o/new"].is_below(&at("films")));
        assert_eq!(found["other/o"], at("other/o"));
    }
}
