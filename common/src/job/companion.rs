//! Companions: small files that a job makes beside its output, such as a contact sheet.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::names::digest::Digest;
use crate::names::location::Location;

/// A file beside an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Companion {
    /// The end of its name.
    pub suffix: Suffix,
    /// Size in bytes.
    pub size: u64,
    /// Digest of the whole file.
    pub digest: Digest,
}

/// The end of a companion's name, e.g. `contact.jpg`: the companion of `film.mkv` is `film.contact.jpg`. Letters,
/// digits, `.`, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Suffix(String);

/// The text is no end of a name.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no end of a file's name: expected letters, digits, '.', '-' and '_'")]
pub struct SuffixError(String);

impl Suffix {
    /// Longest suffix, in bytes.
    const LONGEST: usize = 64;

    /// The suffix.
    ///
    /// # Errors
    /// The text holds other characters, begins or ends with a dot, or is too long.
    pub fn new(text: impl Into<String>) -> Result<Self, SuffixError> {
        let text = text.into();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_sound = (1..=Self::LONGEST).contains(&text.len())
            && text.chars().all(is_plain)
            && text.split('.').all(|part| !part.is_empty());
        if is_sound {
            Ok(Self(text))
        } else {
            Err(SuffixError(text))
        }
    }

    /// The location of the companion with this suffix of an output.
    pub fn beside(&self, output: &Location) -> Location {
        let name = output.name();
        let stem = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem);
        output.sibling(&format!("{stem}.{self}"))
    }

    /// The path of the companion with this suffix of an output.
    pub fn of(&self, output: &Path) -> PathBuf {
        let mut name = output.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{self}"));
        output.with_file_name(name)
    }

    /// Whether a file of this name may be somebody's own video or subtitles, which a job never replaces. Files with the
    /// names that only players of a ladder or of a time line read are none.
    pub fn may_be_a_source(&self) -> bool {
        let (kind, extension) = (self.0.split(['.', '-']).next(), self.0.rsplit('.').next());
        let is_for_players = matches!(kind, Some("audio" | "video" | "subtitles" | "sprites"));
        let extension = extension.unwrap_or_default();
        !is_for_players && matches!(extension, "mp4" | "srt" | "ass" | "vtt" | "sup" | "mks")
    }
}

impl fmt::Display for Suffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Suffix {
    type Error = SuffixError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<Suffix> for String {
    fn from(suffix: Suffix) -> Self {
        suffix.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_companion_lies_beside_its_output() {
        let output = Location::s3("media", "out/a film.v2.mkv").expect("a location");
        let beside = Suffix::new("contact.jpg").expect("sound").beside(&output);
        assert_eq!(beside.key(), "out/a film.v2.contact.jpg");
        let suffix = Suffix::new("contact.jpg").expect("sound");
        let beside = suffix.of(Path::new("out/a film.v2.mkv"));
        assert_eq!(beside, Path::new("out/a film.v2.contact.jpg"));
    }

    #[test]
    fn videos_and_subtitles_may_be_somebodys_own() {
        let may_be = |suffix: &str| Suffix::new(suffix).expect("sound").may_be_a_source();
        for own in [
            "preview.mp4",
            "en.srt",
            "en.forced.srt",
            "de.ass",
            "2.vtt",
            "en.sup",
            "de.mks",
        ] {
            assert!(may_be(own), "{own}");
        }
        for made in [
            "1.jpg",
            "sprites.vtt",
            "video.m3u8",
            "audio-1.mp4",
            "subtitles-1.vtt",
        ] {
            assert!(!may_be(made), "{made}");
        }
    }

    #[test]
    fn a_suffix_leads_nowhere_else() {
        for bad in [
            "",
            ".",
            "..",
            "/x",
            "a/b",
            "..\\x",
            "a..b",
            ".jpg",
            "jpg.",
            "ä.jpg",
            &"x".repeat(65),
        ] {
            assert!(Suffix::new(bad).is_err(), "{bad}");
        }
    }
}
