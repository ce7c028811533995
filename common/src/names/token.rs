//! Tokens of subjects: the alphabet of all names on the broker.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One token of a subject: 1 to 128 letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// The text cannot be one token of a subject.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no valid name: 1 to 128 letters, digits, '-' or '_'")]
pub struct TokenError(String);

impl Token {
    const LONGEST: usize = 128;

    fn allows(c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '-' || c == '_'
    }

    /// For names in this program's code.
    pub(crate) fn from_static(text: &'static str) -> Self {
        Self::from_valid(text.to_owned())
    }

    /// For text that is composed of tokens.
    pub(crate) fn from_valid(text: String) -> Self {
        debug_assert!(text.chars().all(Self::allows));
        Self(text)
    }

    /// The text with every other character replaced by `-`.
    pub fn sanitised(text: &str) -> Self {
        let mut clean: String = text
            .chars()
            .map(|c| if Self::allows(c) { c } else { '-' })
            .take(Self::LONGEST)
            .collect();
        if clean.is_empty() {
            clean.push('-');
        }
        Self(clean)
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if (1..=Self::LONGEST).contains(&text.len()) && text.chars().all(Self::allows) {
            Ok(Self(text))
        } else {
            Err(TokenError(text))
        }
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
