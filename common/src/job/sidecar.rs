//! Sidecars: files beside a source that bear its name, such as `Film.en.srt`, `Film.nfo` and `Film-poster.jpg` beside
//! `Film.mkv`. Which they are, and where they go, is decided here, from names alone.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::names::location::Location;
use crate::names::media::is_media;

/// What becomes of the files beside a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Sidecars {
    /// They stay as they are.
    #[default]
    Leave,
    /// They go along with the output and get its stem: as copies beside an output that has a folder of its own, and by
    /// new names where the output takes the place of its source.
    Carry,
}

impl Sidecars {
    /// What is done unless a person says otherwise. A film that is replaced by one of another name would lose its
    /// sidecars, so they are renamed with it. Outputs in another folder are often no second library (clips for the
    /// web, proxies of an editor), and the sidecars of the sources are still where they were, so nothing is copied.
    pub fn usual(is_replaced: bool) -> Self {
        match is_replaced {
            true => Self::Carry,
            false => Self::Leave,
        }
    }
}

/// A file beside a source, as a report tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sidecar {
    /// The end of its name, which stays the same.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub end: End,
    /// Why it was left as it is; `None` if it went along with the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// What follows the stem in the name of a sidecar, e.g. `.en.srt` or `-poster.jpg`: a dot or a hyphen, and a part of a
/// file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct End(String);

/// The text is no end of a sidecar's name.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no end of a sidecar's name: expected '.' or '-', and a part of a file name")]
pub struct EndError(String);

/// A source has more sidecars than a report may tell of.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} files beside the source bear its name, and none was carried along: at most {most} are", most = Sidecar::MOST)]
pub struct TooManySidecars(usize);

impl End {
    /// What follows `stem` in a name; `None` if the name is that of no sidecar.
    fn after(stem: &str, name: &str) -> Option<Self> {
        Self::try_from(name.strip_prefix(stem)?.to_owned()).ok()
    }

    /// The location of the sidecar with this end beside a film.
    pub fn beside(&self, film: &Location) -> Location {
        film.sibling(&format!("{}{self}", stem(&film.name())))
    }
}

impl Sidecar {
    /// Most sidecars of one source. A report must fit the broker's limit, and so many are no sidecars, but e.g. the
    /// frames of a film.
    pub const MOST: usize = 100;

    /// The sidecars of a source among the names of its folder, sorted. Media are sources of their own. A file belongs to
    /// the film with the longest name that it begins with: `Film-2.srt` is none of `Film.mkv` beside `Film-2.mkv`.
    ///
    /// # Errors
    /// There are more than [`Sidecar::MOST`].
    pub fn among(source: &str, names: &[String]) -> Result<Vec<End>, TooManySidecars> {
        let own = stem(source);
        let media = names.iter().filter(|name| is_media(Path::new(name)));
        let longer: Vec<&str> = media
            .map(|name| stem(name))
            .filter(|other| other.len() > own.len() && other.starts_with(own))
            .collect();
        let is_own = |name: &str| {
            let is_others = |other: &&str| name == *other || End::after(other, name).is_some();
            name != source && !is_media(Path::new(name)) && !longer.iter().any(is_others)
        };
        let ends = names.iter().filter(|name| is_own(name));
        let mut ends: Vec<End> = ends.filter_map(|name| End::after(own, name)).collect();
        ends.sort();
        match ends.len() {
            many if many > Self::MOST => Err(TooManySidecars(many)),
            _ => Ok(ends),
        }
    }

    /// The ends of those that go along with the output.
    pub fn carried(sidecars: &[Self]) -> Vec<End> {
        let carried = sidecars.iter().filter(|sidecar| sidecar.left.is_none());
        carried.map(|sidecar| sidecar.end.clone()).collect()
    }

    /// Whether another film of the folder has the same stem, so that it needs the sidecars as well.
    pub fn are_shared(source: &str, output: &str, names: &[String]) -> bool {
        let is_other =
            |name: &&String| is_media(Path::new(name)) && **name != source && **name != output;
        let mut others = names.iter().filter(is_other);
        others.any(|name| stem(name) == stem(source))
    }

    /// What people should be told of the sidecar, if it was left as it is.
    pub fn news(&self) -> Option<String> {
        let left = self.left.as_ref()?;
        Some(format!("sidecar {} left behind: {left}", self.end))
    }
}

impl Job {
    /// Whether sidecars go along with the file that appears at `to`. A film of several parts has no sidecars of its
    /// own, and a ladder is read by players only.
    pub fn carries_to(&self, to: &Location) -> bool {
        let source = &self.input.location;
        let has_new_name =
            to.folder() != source.folder() || stem(&to.name()) != stem(&source.name());
        let is_one_film = self.kind.writes() && !self.is_joined() && self.ladder.is_none();
        self.sidecars == Sidecars::Carry && is_one_film && has_new_name
    }
}

/// A name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for End {
    type Error = EndError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let begins = text.starts_with(['.', '-']) && text.len() > 1;
        match begins && !text.contains(['/', '\\', '\0']) {
            true => Ok(Self(text)),
            false => Err(EndError(text)),
        }
    }
}

impl From<End> for String {
    fn from(end: End) -> Self {
        end.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let found = Sidecar::among(source, &names).expect("few");
        found.into_iter().map(String::from).collect()
    }

    #[test]
    fn sidecars_bear_the_name_of_the_source_and_belong_to_no_longer_one() {
        let folder = [
            "Film.mkv",
            "Film.srt",
            "Film.en.forced.srt",
            "Film.nfo",
            "Film-poster.jpg",
            "Film.",
            "Film-",
            "Film",
            "Film 2.srt",
            "Filmed.srt",
            "film.nfo",
            "Film-2.mkv",
            "Film-2.srt",
            "Film-2-fanart.jpg",
            "Film-20.srt",
            "Film.mp3",
            "Film-trailer.mp4",
            ".Film.srt",
        ];
        assert_eq!(
            of("Film.mkv", &folder),
            ["-20.srt", "-poster.jpg", ".en.forced.srt", ".nfo", ".srt"]
        );
        assert_eq!(of("Film-2.mkv", &folder), ["-fanart.jpg", ".srt"]);
        assert_eq!(of("Film 2.mkv", &folder), [".srt"]);
    }

    #[test]
    fn a_file_that_two_films_need_is_shared() {
        let names = ["Film.mkv", "Film.mp4", "Film.srt"].map(str::to_owned);
        assert!(Sidecar::are_shared("Film.mp4", "Film-hevc.mkv", &names));
        assert!(!Sidecar::are_shared("Film.mp4", "Film.mkv", &names));
    }

    #[test]
    fn frames_of_a_film_are_no_sidecars() {
        let names: Vec<String> = (0..=Sidecar::MOST)
            .map(|n| format!("clip-{n}.png"))
            .collect();
        assert_eq!(
            Sidecar::among("clip.mov", &names),
            Err(TooManySidecars(Sidecar::MOST + 1))
        );
        assert!(Sidecar::among("clip.mov", &names[1..]).is_ok());
    }

    #[test]
    fn an_end_leads_nowhere_else() {
        for bad in ["", ".", "-", "srt", "./../x", "-a/b", ".a\\b"] {
            assert!(End::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        let film = Location::s3("media", "in/a film.v2.mkv").expect("a location");
        let end = End::try_from(".en.srt".to_owned()).expect("sound");
        assert_eq!(end.beside(&film).key(), "in/a film.v2.en.srt");
    }
}
