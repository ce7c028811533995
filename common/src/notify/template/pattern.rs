//! Text with placeholders.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::names::similar::did_you_mean;
use crate::notify::template::placeholder::{Placeholder, Values};

/// What is encoded in a path or a query: all but the characters that no URL gives a meaning.
const URL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How a value is escaped where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// In a string of JSON.
    Json,
    /// In a path, a query or a form.
    Url,
    /// In a header: control characters are left out.
    Header,
    /// Not at all.
    Plain,
}

impl Escape {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(text).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Url => utf8_percent_encode(text, URL).to_string(),
            Self::Header => text.chars().filter(|c| !c.is_control()).collect(),
            Self::Plain => text.to_owned(),
        }
    }
}

/// Text with placeholders: `{`, a name of small letters, `}`. Every other brace is an ordinary character, so JSON needs
/// no escapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

/// A text is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("there is no placeholder {{{given}}}: {hint}there are {}", Placeholder::names().join(", "))]
pub struct PatternError {
    given: String,
    hint: String,
}

impl Pattern {
    /// The text, with its placeholders as they were written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds this placeholder.
    pub fn uses(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&Piece::Value(placeholder))
    }

    pub(crate) fn fill(&self, values: &Values, escape: Escape) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(Placeholder::Json) if escape == Escape::Json => {
                values.get(Placeholder::Json)
            }
            Piece::Value(placeholder) => escape.apply(&values.get(*placeholder)),
        };
        self.pieces.iter().map(fill).collect()
    }
}

/// The name and the length of a placeholder at the beginning of a text.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let name = text.strip_prefix('{')?.split_once('}')?.0;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    is_name.then_some((name, name.len() + 2))
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        let mut plain = String::new();
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some((name, length)) = placeholder(rest) else {
                plain.push('{');
                rest = &rest[1..];
                continue;
            };
            let found = Placeholder::named(name).ok_or_else(|| PatternError {
                given: name.to_owned(),
                hint: did_you_mean(name, &Placeholder::names()),
            })?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Value(found));
            rest = &rest[length..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { text, pieces })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        for text in ["{\"a\": {}}", "{", "a{B}", "{{", "}"] {
            let pattern = Pattern::try_from(text.to_owned()).expect(text);
            assert_eq!(pattern.pieces, [Piece::Text(text.to_owned())]);
        }
        let pattern = Pattern::try_from("{{title}}".to_owned()).expect("one");
        let text = |text: &str| Piece::Text(text.to_owned());
        let title = Piece::Value(Placeholder::Title);
        assert_eq!(pattern.pieces, [text("{"), title, text("}")]);
    }

    #[test]
    fn values_cannot_leave_their_place() {
        for (escape, expected) in [
            (Escape::Json, "a\\\"b\\\\c\\nd/é"),
            (Escape::Url, "a%22b%5Cc%0Ad%2F%C3%A9"),
            (Escape::Header, "a\"b\\cd/é"),
            (Escape::Plain, "a\"b\\c\nd/é"),
        ] {
            assert_eq!(escape.apply("a\"b\\c\nd/é"), expected);
        }
    }
}
