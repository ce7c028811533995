//! Subtitle files beside a source: `film.en.forced.srt` beside `film.mkv`.

use std::collections::BTreeMap;
use std::path::Path;

use common::job::further::{ExternalSubtitles, FurtherInput, FurtherRole};
use common::job::input::Input;
use common::names::location::Location;
use common::recipe::Language;
use common::store::{StoreError, Stores, local_input};

use super::extensions::is_media;
use super::found::FoundFiles;

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

/// Gives each source the subtitle files in its folder that bear its name.
///
/// # Errors
/// If a bucket cannot be listed.
pub(super) async fn add(found: &mut FoundFiles, stores: &Stores) -> Result<(), StoreError> {
    let mut folders: BTreeMap<String, Vec<Input>> = BTreeMap::new();
    for source in &mut found.sources {
        let folder = source.input.location.folder();
        let key = folder.to_string();
        if !folders.contains_key(&key) {
            let files = match source.input.location.path() {
                Some(path) => on_disk(path.parent().unwrap_or(&path), &mut found.unreadable),
                None => in_bucket(stores, &folder).await?,
            };
            folders.insert(key.clone(), files);
        }
        let files = folders.get(&key).map_or(&[][..], Vec::as_slice);
        let names: Vec<String> = files.iter().map(|file| file.location.name()).collect();
        let stem = stem(&source.input.location.name()).to_owned();
        for (file, name) in files.iter().zip(&names) {
            let Some((words, extension)) = words(&stem, name, &names) else {
                continue;
            };
            if extension == DVD {
                found.unreadable.push(format!(
                    "{}: subtitles of a DVD in two files (.idx and .sub) do not become tracks: join them to the film \
                     first, with mkvmerge",
                    file.location
                ));
            } else {
                source.further.push(FurtherInput {
                    input: file.clone(),
                    role: FurtherRole::Subtitles(described(&words)),
                });
            }
        }
    }
    Ok(())
}

/// The media and subtitle files of a folder, by name.
fn on_disk(folder: &Path, unreadable: &mut Vec<String>) -> Vec<Input> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            unreadable.push(format!("{}: {error}", folder.display()));
            return files;
        }
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
        match input {
            Ok(input) => files.extend(input),
            Err(error) => unreadable.push(format!("{}: {error}", path.display())),
        }
    }
    files.sort_by_key(|file| file.location.name());
    files
}

/// The same for the folder of an object.
async fn in_bucket(stores: &Stores, folder: &Location) -> Result<Vec<Input>, StoreError> {
    let mut files = stores.list(folder).await?;
    files.retain(|file| {
        file.location.folder() == *folder && is_taken(Path::new(&file.location.name()))
    });
    files.sort_by_key(|file| file.location.name());
    Ok(files)
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
    let belongs_to_another = all.iter().any(|other| {
        let stem = stem(other);
        is_media(Path::new(other)) && stem.len() > film.len() && rest(stem).is_some()
    });
    let words = own.split('.').filter(|word| !word.is_empty());
    (!belongs_to_another).then(|| (words.collect(), extension))
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
    async fn files_beside_a_film_are_found() {
        use crate::submit::sources::{Globs, Search};

        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        for name in [
            "film.mkv",
            "film.en.forced.srt",
            "film.SUP",
            "film.idx",
            "other.srt",
            "film.txt",
        ] {
            std::fs::write(root.join(name), "media").expect("room");
        }
        let stores = Stores::new();
        let recipe = common::recipe::Recipe::copy()
            .edit(|draft| draft.subtitle_tracks.external = true)
            .expect("sound");
        for path in [root.clone(), root.join("film.mkv")] {
            let search = Search::new(&Globs::default(), &[], &stores).expect("sound");
            let found = search
                .for_recipe(&recipe)
                .run(&[path])
                .await
                .expect("found");
            let further = found.sources[0].further.iter();
            let names: Vec<String> = further.map(|file| file.input.location.name()).collect();
            assert_eq!(names, ["film.SUP", "film.en.forced.srt"]);
            assert_eq!(found.unreadable.len(), 1);
            assert!(found.unreadable[0].contains("mkvmerge"));
        }
    }
}
