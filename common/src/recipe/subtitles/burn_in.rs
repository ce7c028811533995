//! Burning in: drawing subtitles into the picture.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::language::{Language, LanguageError};
use crate::recipe::named::written_as_text;

/// The subtitle track that is drawn into the picture. The track is not kept as a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BurnIn {
    /// `forced`: the first forced track; nothing if there is none.
    Forced,
    /// `foreign`: the track for scenes in another language, found by how little it is shown; nothing if there is none.
    Foreign,
    /// The number among the input's subtitle tracks, from 1.
    Track(u32),
    /// The first track in this language.
    Language(Language),
}

impl FromStr for BurnIn {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "forced" => Self::Forced,
            "foreign" => Self::Foreign,
            _ => match text.parse::<u32>() {
                Ok(number) if number > 0 => Self::Track(number),
                _ => Self::Language(text.parse()?),
            },
        })
    }
}

impl fmt::Display for BurnIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced => f.write_str("forced"),
            Self::Foreign => f.write_str("foreign"),
            Self::Track(number) => number.fmt(f),
            Self::Language(language) => language.fmt(f),
        }
    }
}

written_as_text!(BurnIn, LanguageError);
