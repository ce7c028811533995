//! Lists the media of a library: one walk through a folder, or one listing of a bucket, without a request for each
//! file.

use std::path::Path;

use common::job::input::Input;
use common::library::Library;
use common::names::location::Location;
use common::names::media;
use common::recipe::Video;
use common::store::roots::Roots;
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
}

impl Listing {
    /// Whether a file may still be there although it was not seen.
    pub(super) fn may_hold(&self, file: &Location) -> bool {
        let mut folders = self.unreadable.iter();
        folders.any(|(folder, _)| file.is_below(folder))
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
        let entries = match folder.entries() {
            Ok(entries) => entries,
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
