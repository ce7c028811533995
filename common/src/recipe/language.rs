//! Languages as people choose them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// A language of tracks: a code of ISO 639 (`en`, `eng`), a BCP 47 tag (`pt-BR`), `und` for tracks without one, `any`,
/// or `original` for the track that is marked as original, or else the first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// The text is no language.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no language: expected a code such as eng, de or pt-BR, or und, any or original")]
pub struct LanguageError(String);

impl Language {
    /// The text as given, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || LanguageError(text.to_owned());
        let mut parts = text.split('-');
        let primary = parts.next().unwrap_or_default();
        let is_word = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric());
        let is_code = matches!(primary.len(), 2 | 3) || matches!(primary, "original");
        let is_sound = is_code
            && primary.chars().all(|c| c.is_ascii_alphabetic())
            && parts.all(|part| (1..=8).contains(&part.len()) && is_word(part));
        if is_sound {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

written_as_text!(Language, LanguageError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_tags_are_languages_and_names_are_not() {
        for good in ["eng", "de", "PT-br", "zh-Hant-TW", "und", "any", "original"] {
            assert!(good.parse::<Language>().is_ok(), "{good}");
        }
        for bad in ["", "english", "e", "12", "eng-", "eng deu", "en_US"] {
            assert!(bad.parse::<Language>().is_err(), "{bad}");
        }
    }
}
