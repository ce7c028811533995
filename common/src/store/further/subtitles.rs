//! Subtitle files beside a source: `film.en.forced.srt` beside `film.mkv`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use object_store::ObjectStore;

use crate::job::further::{ExternalSubtitles, FurtherInput, FurtherRole};
use crate::job::input::Input;
use crate::names::location::Location;
use crate::names::media::is_media;
use crate::recipe::{Companions, Language};
use crate::store::roots::Roots;
use crate::store::{StoreError, Stores, local_input, remote_input};

/// Extensions of subtitles that workers read.
const TAKEN: &[&str] = &["ass", "srt", "ssa", "sup", "vtt"];
/// The extension of the index of a DVD's subtitles, which are in a second file.
const DVD: &str = "idx";

/// Words of a name that say that subtitles are only for parts in another language.
const FORCED: &[&str] = &["forced", "foreign"];
/// Words of a name that say that subtitles are for the deaf and hard of hearing.
const SDH: &[&str] = &["sdh", "cc", "hoh"];
/// The same, unless it is the only code of a language: `film.hi.srt` is in Hindi.
const SDH_OR_HINDI: &str = "hi";

/// The subtitle files beside one film.
#[derive(Debug, Default)]
pub struct SubtitleFiles {
    /// Those that become tracks, by name.
    pub files: Vec<FurtherInput>,
    /// Those that cannot be read, each with the reason.
    pub unreadable: Vec<String>,
    /// Those of a form that does not become tracks, each with a way out.
    pub unsupported: Vec<String>,
}

/// A search for subtitle files. It lists each folder once.
pub struct SubtitleSearch<'a> {
    stores: &'a Stores,
    folders: HashMap<Location, Listing>,
}

/// The media and subtitle files of a folder, by name.
#[derive(Default)]
struct Listing {
    files: Vec<Input>,
    /// Names of files that cannot be looked at, each with the reason.
    unreadable: Vec<(String, String)>,
    /// Why the folder itself cannot be read.
    failed: Option<String>,
}

impl<'a> SubtitleSearch<'a> {
    /// A search in these stores.
    pub fn new(stores: &'a Stores) -> Self {
        Self {
            stores,
            folders: HashMap::new(),
        }
    }

    /// The subtitle files in the folder of a film that bear its name.
    ///
    /// # Errors
    /// If a bucket cannot be listed.
    pub async fn beside(&mut self, film: &Location) -> Result<SubtitleFiles, StoreError> {
        let listing = match self.folders.entry(film.folder()) {
            Entry::Occupied(listed) => listed.into_mut(),
            Entry::Vacant(new) => new.insert(self.stores.media_beside(film).await?),
        };
        let files = &listing.files;
        let names: Vec<String> = files.iter().map(|file| file.location.name()).collect();
        let film = film.name();
        let mut found = SubtitleFiles::default();
        found.unreadable.extend(listing.failed.clone());
        let is_its = |name: &str| words(stem(&film), name, &names).is_some();
        let unreadable = listing.unreadable.iter().filter(|(name, _)| is_its(name));
        let unreadable = unreadable.map(|(name, why)| format!("{name}: {why}"));
        found.unreadable.extend(unreadable);
        for (file, name) in files.iter().zip(&names) {
            let Some((words, extension)) = words(stem(&film), name, &names) else {
                continue;
            };
            if extension == DVD {
                found.unsupported.push(format!(
                    "{}: subtitles of a DVD in two files (.idx and .sub) do not become tracks: join them to the film \
                     first, with mkvmerge",
                    file.location
                ));
            } else {
                found.files.push(FurtherInput {
                    input: file.clone(),
                    role: FurtherRole::Subtitles(described(&words)),
                });
            }
        }
        Ok(found)
    }
}

impl Stores {
    /// The files in the folder of a film. The limits apply to the film, because a folder may be a limit itself.
    async fn media_beside(&self, film: &Location) -> Result<Listing, StoreError> {
        let mut found = match film.folder().path() {
            None => self.media_in_bucket(film).await?,
            Some(_) if self.limits_folders() => {
                let listed = self.on_disk(film, below_roots).await;
                listed.unwrap_or_else(|error| Listing::failed(error.to_string()))
            }
            Some(path) => tokio::task::spawn_blocking(move || on_disk(path))
                .await
                .unwrap_or_else(|error| Listing::failed(error.to_string())),
        };
        found.files.sort_by_key(|file| file.location.name());
        Ok(found)
    }

    async fn media_in_bucket(&self, film: &Location) -> Result<Listing, StoreError> {
        let (store, path) = self.object(film)?;
        let folder = path.parent().filter(|folder| !folder.is_root());
        let listed = store.list_with_delimiter(folder.as_ref()).await;
        let bucket = film.bucket().unwrap_or_default();
        let mut found = Listing::default();
        for meta in listed.map_err(StoreError::remote(&film.folder()))?.objects {
            let is_taken = meta
                .location
                .filename()
                .map(Path::new)
                .is_some_and(is_taken);
            if let (true, Ok(location)) = (is_taken, Location::s3(bucket, meta.location.as_ref())) {
                found.files.push(remote_input(location, meta));
            }
        }
        Ok(found)
    }
}

impl Listing {
    fn failed(why: String) -> Self {
        Self {
            failed: Some(why),
            ..Self::default()
        }
    }

    fn add(&mut self, name: String, input: Result<Option<Input>, String>) {
        match input {
            Ok(input) => self.files.extend(input),
            Err(error) => self.unreadable.push((name, error)),
        }
    }
}

/// The files of any folder.
fn on_disk(folder: PathBuf) -> Listing {
    let mut found = Listing::default();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => return Listing::failed(format!("{}: {error}", folder.display())),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if !is_taken(&path) {
            continue;
        }
        let input = std::fs::metadata(&path).map_err(|error| error.to_string());
        let input = input.and_then(|metadata| {
            let location = Location::file(&path).map_err(|error| error.to_string())?;
            Ok(metadata.is_file().then(|| local_input(location, &metadata)))
        });
        let name = entry.file_name().to_string_lossy().into_owned();
        found.add(name, input);
    }
    found
}

/// The files in the folder of a film below the roots. Links that lead out of them are left out.
fn below_roots(roots: &Roots, film: &Location) -> Result<Listing, StoreError> {
    let mut found = Listing::default();
    let folder = film.folder();
    let entries = roots.folder(&folder)?.entries();
    for (name, kind) in entries.map_err(StoreError::local(folder.to_string()))? {
        if kind.is_dir() || !is_taken(Path::new(&name)) {
            continue;
        }
        let location = folder.join(&name);
        let input = roots.file(&location).and_then(|opened| {
            let metadata = opened.file.metadata();
            let metadata = metadata.map_err(StoreError::local(location.to_string()))?;
            Ok(Some(local_input(location.clone(), &metadata)))
        });
        let input = match input {
            Err(StoreError::Missing(_)) => Ok(None),
            other => other.map_err(|error| error.to_string()),
        };
        found.add(name, input);
    }
    Ok(found)
}

fn is_taken(name: &Path) -> bool {
    let extension = name.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_ascii_lowercase);
    is_media(name) || extension.is_some_and(|one| one == DVD || TAKEN.contains(&one.as_str()))
}

/// A name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The words between a film's name and the extension of a subtitle file, and that extension. `None` if the file does
/// not bear the film's name, or if it bears the longer name of another film.
fn words<'a>(film: &str, file: &'a str, all: &[String]) -> Option<(Vec<&'a str>, String)> {
    let (front, extension) = file.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    if extension != DVD && !TAKEN.contains(&extension.as_str()) {
        return None;
    }
    let rest = |film: &str| {
        let rest = front.strip_prefix(film)?;
        (rest.is_empty() || rest.starts_with('.')).then_some(rest)
    };
    let own = rest(film)?;
    if is_our_own(own, &extension) {
        return None;
    }
    let belongs_to_another = all.iter().any(|other| {
        let stem = stem(other);
        is_media(Path::new(other)) && stem.len() > film.len() && rest(stem).is_some()
    });
    let words = own.split('.').filter(|word| !word.is_empty());
    (!belongs_to_another).then(|| (words.collect(), extension))
}

/// Whether a job made the file beside its output: the times of sprites look like subtitles.
fn is_our_own(rest: &str, extension: &str) -> bool {
    format!("{rest}.{extension}").ends_with(&format!(".{}", Companions::SPRITE_TIMES))
}

/// What the words of a name say.
fn described(words: &[&str]) -> ExternalSubtitles {
    let mut said = ExternalSubtitles {
        language: None,
        forced: false,
        sdh: false,
    };
    let mut may_be_hindi = false;
    for word in words {
        let lower = word.to_ascii_lowercase().replace('_', "-");
        match lower.as_str() {
            SDH_OR_HINDI => may_be_hindi = true,
            word if FORCED.contains(&word) => said.forced = true,
            word if SDH.contains(&word) => said.sdh = true,
            "any" | "original" => {}
            word => {
                // A title may be beside the language: the last code counts.
                said.language = word.parse::<Language>().ok().or(said.language.take());
            }
        }
    }
    if may_be_hindi && said.language.is_none() {
        said.language = SDH_OR_HINDI.parse().ok();
    } else if may_be_hindi {
        said.sdh = true;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_language_and_the_purpose() {
        for (words, language, forced, sdh) in [
            (&["en", "forced"][..], Some("en"), true, false),
            (&["forced", "eng"], Some("eng"), true, false),
            (&["deu", "SDH"], Some("deu"), false, true),
            (&["pt-BR"], Some("pt-br"), false, false),
            (&["pt_BR", "cc"], Some("pt-br"), false, true),
            (&["hi"], Some("hi"), false, false),
            (&["en", "hi"], Some("en"), false, true),
            (&["commentary", "fr"], Some("fr"), false, false),
            (&[], None, false, false),
        ] {
            let said = described(words);
            let spoken = said.language.as_ref().map(Language::as_str);
            assert_eq!(
                (spoken, said.forced, said.sdh),
                (language, forced, sdh),
                "{words:?}"
            );
        }
    }

    #[test]
    fn files_belong_to_the_film_with_the_longest_name() {
        let all = [
            "film.mkv",
            "film.2.mkv",
            "film.2.en.srt",
            "film.srt",
            "filmed.srt",
            "film.sprites.vtt",
            "film.mp4.sprites.vtt",
        ];
        let all = all.map(str::to_owned);
        let of = |film: &str| -> Vec<&str> {
            let files = all.iter().map(String::as_str);
            files
                .filter(|file| words(film, file, &all).is_some())
                .collect()
        };
        assert_eq!(of("film"), ["film.srt"]);
        assert_eq!(of("film.2"), ["film.2.en.srt"]);
    }

    #[tokio::test]
    async fn files_beside_a_film_are_found_within_limits_and_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        for name in [
            "film.mkv",
            "film.en.forced.srt",
            "film.SUP",
            "film.idx",
            "film.sprites.vtt",
            "other.srt",
            "film.txt",
        ] {
            std::fs::write(root.join(name), "media").expect("room");
        }
        let film = Location::file(&root.join("film.mkv")).expect("absolute");
        let roots = Roots::new([&root]).expect("a folder");
        for stores in [Stores::new(), Stores::new().within(roots, Vec::new())] {
            let mut search = SubtitleSearch::new(&stores);
            let found = search.beside(&film).await.expect("listed");
            let names = found.files.iter().map(|file| file.input.location.name());
            assert_eq!(
                names.collect::<Vec<_>>(),
                ["film.SUP", "film.en.forced.srt"]
            );
            for file in &found.files {
                let head = stores.head(&file.input.location).await.expect("there");
                assert_eq!(head, file.input, "the version that a worker finds");
            }
            assert_eq!(found.unreadable.len(), 0);
            assert_eq!(found.unsupported.len(), 1);
            assert!(found.unsupported[0].contains("mkvmerge"));
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_out_of_the_roots_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there").join("root");
        std::fs::create_dir(&root).expect("made");
        std::fs::write(folder.path().join("secret.srt"), "1").expect("written");
        std::fs::write(root.join("film.mkv"), "1").expect("written");
        let link = root.join("film.srt");
        std::os::unix::fs::symlink("../secret.srt", link).expect("linked");
        let roots = Roots::new([&root]).expect("a folder");
        let stores = Stores::new().within(roots, Vec::new());
        let film = Location::file(&root.join("film.mkv")).expect("absolute");
        let found = SubtitleSearch::new(&stores).beside(&film).await;
        let found = found.expect("listed");
        assert_eq!(found.files, []);
        assert_eq!(found.unreadable.len(), 1);
    }
}
