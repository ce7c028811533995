//! Expressions: a condition with known fields and values, and how it is written.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use crate::rules::condition::field::{Field, Kind};
use crate::rules::condition::syntax::{is_keyword, is_of_word};

/// A condition that passed the check of its types. Nested lists of the same kind do not occur.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) field: Field,
    pub(super) is: Is,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Is {
    True,
    Less(u64),
    AtMost(u64),
    Greater(u64),
    AtLeast(u64),
    OneOf(Vec<Value>),
    NoneOf(Vec<Value>),
    Like(Pattern),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Value {
    Number(u64),
    /// In the one spelling in which facts have it.
    Word(String),
}

/// A pattern with `*`, `**`, `?`, `[…]` and `{…}`, in any case of letters.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Pattern {
    /// # Errors
    /// What is wrong with the pattern.
    pub(super) fn new(text: String) -> Result<Self, String> {
        // A pattern that does not begin at the root may begin at any folder.
        let anywhere = match text.starts_with('/') {
            true => text.clone(),
            false => format!("**/{text}"),
        };
        let mut glob = GlobBuilder::new(&anywhere);
        let glob = glob.literal_separator(true).case_insensitive(true);
        let glob = glob.backslash_escape(true).build();
        let glob = glob.map_err(|error| error.kind().to_string())?;
        Ok(Self {
            text,
            matcher: glob.compile_matcher(),
        })
    }

    /// Whether every text matches: the pattern may begin at any folder, and asks for nothing there.
    pub(super) fn takes_all(&self) -> bool {
        self.text
            .split('/')
            .all(|part| matches!(part, "" | "*" | "**"))
            && !self.text.starts_with('/')
    }

    /// Whether no path of a file matches: none leads through `.` or `..`.
    pub(super) fn takes_none(&self) -> bool {
        self.text.split('/').any(|part| matches!(part, "." | ".."))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}

impl Expression {
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let parts = parts.into_iter().flat_map(|part| match part {
            Self::Any(parts) => parts,
            part => vec![part],
        });
        Self::Any(parts.collect())
    }

    pub(super) fn all(parts: Vec<Self>) -> Self {
        let parts = parts.into_iter().flat_map(|part| match part {
            Self::All(parts) => parts,
            part => vec![part],
        });
        Self::All(parts.collect())
    }

    /// Every comparison.
    pub(super) fn tests(&self) -> Vec<&Test> {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(inner) => inner.tests(),
            Self::Test(test) => vec![test],
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) => joined(parts, " or ", f),
            Self::All(parts) => joined(parts, " and ", f),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.within(matches!(**inner, Self::Any(_) | Self::All(_)), f)
            }
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

impl Expression {
    fn within(&self, parentheses: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match parentheses {
            true => write!(f, "({self})"),
            false => write!(f, "{self}"),
        }
    }
}

fn joined(parts: &[Expression], word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (nth, part) in parts.iter().enumerate() {
        if nth > 0 {
            f.write_str(word)?;
        }
        let binds_less = word == " and " && matches!(part, Expression::Any(_));
        part.within(binds_less, f)?;
    }
    Ok(())
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.name();
        let sign = match &self.is {
            Is::True => return f.write_str(name),
            Is::Like(pattern) => {
                write!(f, "{name} like ")?;
                return quoted(&pattern.text, f);
            }
            Is::OneOf(values) | Is::NoneOf(values) => {
                let is_one = matches!(self.is, Is::OneOf(_));
                return self.listed(values, is_one, f);
            }
            Is::Less(_) => "<",
            Is::AtMost(_) => "<=",
            Is::Greater(_) => ">",
            Is::AtLeast(_) => ">=",
        };
        write!(f, "{name} {sign} ")?;
        match self.is {
            Is::Less(value) | Is::AtMost(value) | Is::Greater(value) | Is::AtLeast(value) => {
                self.value(&Value::Number(value), f)
            }
            _ => Ok(()),
        }
    }
}

impl Test {
    fn listed(&self, values: &[Value], is_one: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.field.name();
        if let [value] = values {
            write!(f, "{name} {} ", if is_one { "=" } else { "!=" })?;
            return self.value(value, f);
        }
        write!(f, "{name} {} [", if is_one { "in" } else { "not in" })?;
        for (nth, value) in values.iter().enumerate() {
            if nth > 0 {
                f.write_str(", ")?;
            }
            self.value(value, f)?;
        }
        f.write_str("]")
    }

    fn value(&self, value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (value, self.field.kind()) {
            (Value::Number(number), Kind::Number(unit)) => unit.write(*number, f),
            (Value::Number(number), _) => write!(f, "{number}"),
            (Value::Word(word), Kind::Word(vocabulary)) if vocabulary.find(word).is_none() => {
                quoted(word, f)
            }
            (Value::Word(word), _) => {
                let is_plain = word.starts_with(|c: char| c.is_ascii_alphabetic())
                    && word.chars().all(is_of_word)
                    && !is_keyword(word);
                match is_plain {
                    true => f.write_str(word),
                    false => quoted(word, f),
                }
            }
        }
    }
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}
