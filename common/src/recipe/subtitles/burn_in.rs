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

/// The text does not say which track is drawn.
#[derive(Debug, thiserror::Error)]
pub enum BurnInError {
    /// It names several tracks.
    #[error("only one track can be burnt in, and '{0}' names several: choose one")]
    Several(String),
    /// It is no track.
    #[error(
        "'{0}' says of no track: expected forced, foreign, a language such as eng, or a number from 1"
    )]
    Unknown(String, #[source] LanguageError),
}

impl FromStr for BurnIn {
    type Err = BurnInError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains([',', '+', ' ']) {
            return Err(BurnInError::Several(text.to_owned()));
        }
        let unknown = |error| BurnInError::Unknown(text.to_owned(), error);
        Ok(match text {
            "forced" => Self::Forced,
            "foreign" => Self::Foreign,
            _ => match text.parse::<u32>() {
                Ok(number) if number > 0 => Self::Track(number),
                _ => Self::Language(text.parse().map_err(unknown)?),
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

written_as_text!(BurnIn, BurnInError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_track_is_named_in_one_of_four_ways() {
        for text in ["forced", "foreign", "pt-br", "2"] {
            let track: BurnIn = text.parse().expect("one track");
            assert_eq!(track.to_string(), text);
        }
        for (text, why) in [
            ("eng,deu", "only one track"),
            ("1 2", "only one track"),
            ("0", "a number from 1"),
            ("english", "a language such as eng"),
        ] {
            let error = text.parse::<BurnIn>().expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
