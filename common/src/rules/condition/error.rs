//! What is wrong with a condition, for people.

use std::fmt;

use crate::names::similar::did_you_mean;
use crate::rules::condition::analysis::Verdict;
use crate::rules::condition::syntax::{Span, Unexpected};

/// A condition that cannot be used: what is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionError {
    text: String,
    problem: Problem,
}

impl std::error::Error for ConditionError {}

impl ConditionError {
    pub(super) fn new(text: &str, problem: Problem) -> Self {
        Self {
            text: text.to_owned(),
            problem,
        }
    }

    /// The character at which the problem begins, from 0; `None` if the whole condition is at fault.
    pub fn at(&self) -> Option<usize> {
        let byte = match &self.problem {
            Problem::Unexpected(unexpected) => unexpected.at,
            Problem::Wrong(_, span) => span.start,
            Problem::TooLong | Problem::Senseless(_) => return None,
        };
        let before = self.text.get(..byte).unwrap_or(&self.text);
        Some(before.chars().count())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Problem {
    TooLong,
    Unexpected(Unexpected),
    Wrong(Wrong, Span),
    Senseless(Verdict),
}

impl From<Unexpected> for Problem {
    fn from(unexpected: Unexpected) -> Self {
        Self::Unexpected(unexpected)
    }
}

/// A part of a condition that the grammar allows, and that means nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    UnknownField {
        name: String,
        similar: Option<&'static str>,
    },
    /// A field that is neither true nor false stands alone.
    Alone {
        field: &'static str,
        example: String,
    },
    /// The value is of another type than the field.
    Type {
        field: &'static str,
        expected: String,
    },
    /// The field has no such comparison.
    Comparison {
        field: &'static str,
        expected: &'static str,
    },
    UnknownWord {
        word: String,
        of: &'static str,
        known: Vec<&'static str>,
    },
    Unit {
        field: &'static str,
        known: String,
    },
    NoUnit {
        field: &'static str,
        example: &'static str,
    },
    NotWhole {
        field: &'static str,
    },
    Negative {
        field: &'static str,
    },
    TooLarge,
    Language,
    Pattern(String),
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::TooLong => f.write_str("the condition is longer than 4000 bytes"),
            Problem::Senseless(verdict) => write!(f, "{verdict}"),
            Problem::Wrong(wrong, span) => {
                write!(f, "{}{wrong}", self.place(span.start))
            }
            Problem::Unexpected(unexpected) => self.unexpected(unexpected, f),
        }
    }
}

impl ConditionError {
    fn unexpected(&self, unexpected: &Unexpected, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.trim().is_empty() {
            return f.write_str("the condition is empty: expected e.g. 'video.codec = hevc'");
        }
        let rest = self.text.get(unexpected.at..).unwrap_or_default();
        let expected = unexpected.expected.unwrap_or("something else");
        write!(f, "{}expected {expected}", self.place(unexpected.at))?;
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        match &rest[..end] {
            "" => write!(f, ", and the condition ends"),
            found => write!(f, ", found '{found}'"),
        }?;
        let hints = [
            ("&&", "write 'and'"),
            ("||", "write 'or'"),
            ("!", "write 'not'"),
            ("~", "write 'like', with * and ?"),
            ("is ", "write '='"),
            ("*", "put patterns into quotation marks"),
            ("%", "numbers here are no percents"),
        ];
        match hints.iter().find(|(sign, _)| rest.starts_with(sign)) {
            Some((_, hint)) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }

    /// Where in the condition the problem is, for people, who count from 1.
    fn place(&self, byte: usize) -> String {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        format!("at character {}: ", before.chars().count() + 1)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { name, similar } => {
                write!(f, "'{name}' is no field of a file")?;
                match similar {
                    Some(similar) => write!(f, ": did you mean {similar}?"),
                    None => {
                        f.write_str(": fields are e.g. video.codec, height, size, audio.language")
                    }
                }
            }
            Self::Alone { field, example } => {
                write!(f, "{field} needs a comparison, e.g. '{example}'")
            }
            Self::Type { field, expected } => write!(f, "{field} is {expected}"),
            Self::Comparison { field, expected } => {
                write!(f, "{field} can only be compared by {expected}")
            }
            Self::UnknownWord { word, of, known } => write!(
                f,
                "'{word}' is no known {of}: {}put a name of ffmpeg that this program does not know into quotation marks",
                did_you_mean(word, known)
            ),
            Self::Unit { field, known } if known.is_empty() => write!(f, "{field} has no unit"),
            Self::Unit { field, known } => write!(f, "{field} has other units: {known}"),
            Self::NoUnit { field, example } => write!(f, "{field} needs a unit, e.g. {example}"),
            Self::NotWhole { field } => write!(f, "{field} is a whole number"),
            Self::Negative { field } => {
                write!(
                    f,
                    "{field} is never below zero: the comparison would never matter"
                )
            }
            Self::TooLarge => f.write_str("the number is too large"),
            Self::Language => f.write_str(
                "a language is a code such as eng, de or pt-BR, or und for tracks without one",
            ),
            Self::Pattern(problem) => write!(f, "the pattern cannot be used: {problem}"),
        }
    }
}
