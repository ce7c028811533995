//! Places in the text of a recipe file.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::recipe::file::FileFormat;

/// A place in a file: line and column, both from 1, and the text of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    pub text: String,
}

/// The most characters of a line that are shown.
const SHOWN: usize = 80;

impl Place {
    /// The place of a byte of the text.
    pub(super) fn at(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            text: line.trim().chars().take(SHOWN).collect(),
        }
    }

    /// The place of a line and a column, both from 1.
    pub(super) fn of(text: &str, line: usize, column: usize) -> Self {
        let found = text.lines().nth(line.saturating_sub(1));
        Self {
            line,
            column,
            text: found
                .unwrap_or_default()
                .trim()
                .chars()
                .take(SHOWN)
                .collect(),
        }
    }

    /// The place of a field; `None` if it is not in the text.
    pub(super) fn of_field(text: &str, format: FileFormat, path: &[String]) -> Option<Self> {
        let byte = match format {
            FileFormat::Toml => in_toml(text, path)?,
            FileFormat::Json => in_json(text, path)?,
        };
        Some(Self::at(text, byte))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The byte at which a field's name begins.
fn in_toml(text: &str, path: &[String]) -> Option<usize> {
    fn below(table: &DeTable<'_>, path: &[String]) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let (key, value) = table
            .iter()
            .find(|(key, _)| key.get_ref() == first.as_str())?;
        match (rest, value.get_ref()) {
            ([], _) => Some(key.span().start),
            (_, DeValue::Table(table)) => below(table, rest),
            _ => None,
        }
    }
    below(DeTable::parse(text).ok()?.get_ref(), path)
}

/// The byte at which a field's value begins.
fn in_json(text: &str, path: &[String]) -> Option<usize> {
    let mut inner = text;
    for name in path {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(inner).ok()?;
        inner = fields.get(name)?.get();
    }
    // Raw values are slices of the text.
    (inner.as_ptr() as usize).checked_sub(text.as_ptr() as usize)
}
