//! Reading recipe files, and telling what is wrong with one.

use std::fmt;

use serde_json::Value;

use crate::recipe::error::RecipeError;
use crate::recipe::file::explain::explain;
use crate::recipe::file::place::Place;
use crate::recipe::file::{FileFormat, RecipeFile};
use crate::recipe::outputs::OutputsError;
use crate::recipe::preset::{NoteError, Preset};

/// What is wrong with a recipe file, where, and what to do.
#[derive(Debug)]
pub struct FileError {
    /// Where it is; `None` if the fault is in no single place.
    pub place: Option<Place>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl FileError {
    /// The error with the name of the file: `ours.toml:4:1: what is wrong (in: crff = 20)`.
    pub fn in_file(&self, file: &str) -> String {
        match &self.place {
            Some(place) => format!("{file}:{}:{}: {}", place.line, place.column, self.what()),
            None => format!("{file}: {}", self.what),
        }
    }

    fn what(&self) -> String {
        match &self.place {
            Some(place) if !place.text.is_empty() => {
                format!("in '{}': {}", place.text, self.what)
            }
            _ => self.what.clone(),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.what()),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for FileError {}

/// A file of the right form that breaks a rule.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsound {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Reads and checks a recipe file.
pub(super) fn read(text: &str, format: FileFormat) -> Result<Preset, FileError> {
    let value = value(text, format)?;
    check_version(text, format, &value)?;
    let file = match format {
        FileFormat::Toml => toml::from_str(text).map_err(|error| of_toml(text, &error)),
        FileFormat::Json => serde_json::from_str(text).map_err(|error| of_json(text, &error)),
    };
    let file: RecipeFile = file?;
    file.preset().map_err(|error| FileError {
        place: guilty(&value).and_then(|path| Place::of_field(text, format, &path)),
        what: error.to_string(),
    })
}

/// The text as data, whatever it says.
fn value(text: &str, format: FileFormat) -> Result<Value, FileError> {
    match format {
        FileFormat::Json => serde_json::from_str(text).map_err(|error| of_json(text, &error)),
        FileFormat::Toml => {
            let table: toml::Table = toml::from_str(text).map_err(|error| of_toml(text, &error))?;
            serde_json::to_value(table).map_err(|error| FileError {
                place: None,
                what: error.to_string(),
            })
        }
    }
}

/// Refuses a file of a newer form first: its unknown fields are no errors of the person who wrote it.
fn check_version(text: &str, format: FileFormat, value: &Value) -> Result<(), FileError> {
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(RecipeFile::VERSION) => Err(FileError {
            place: Place::of_field(text, format, &["version".to_owned()]),
            what: format!(
                "the recipe file has version {version}, this program reads up to {}: update it",
                RecipeFile::VERSION
            ),
        }),
        Some(0) => Err(FileError {
            place: Place::of_field(text, format, &["version".to_owned()]),
            what: format!(
                "there is no version 0 of recipe files: write version = {}, or leave it out",
                RecipeFile::VERSION
            ),
        }),
        _ => Ok(()),
    }
}

fn of_toml(text: &str, error: &toml::de::Error) -> FileError {
    FileError {
        place: error.span().map(|span| Place::at(text, span.start)),
        what: explain(error.message()),
    }
}

fn of_json(text: &str, error: &serde_json::Error) -> FileError {
    let message = error.to_string();
    // The position is told in our own words.
    let at = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&at).unwrap_or(&message);
    FileError {
        place: (error.line() > 0).then(|| Place::of(text, error.line(), error.column())),
        what: explain(message),
    }
}

/// The field without which the file would be sound: what breaks the rule. The innermost is preferred.
fn guilty(value: &Value) -> Option<Vec<String>> {
    let mut paths = Vec::new();
    collect(value, &mut Vec::new(), &mut paths);
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    paths.into_iter().find(|path| {
        let mut changed = value.clone();
        remove(&mut changed, path);
        serde_json::from_value::<RecipeFile>(changed).is_ok_and(|file| file.preset().is_ok())
    })
}

fn collect(value: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let Value::Object(fields) = value else { return };
    for (name, inner) in fields {
        path.push(name.clone());
        paths.push(path.clone());
        collect(inner, path, paths);
        path.pop();
    }
}

fn remove(value: &mut Value, path: &[String]) {
    match (value, path) {
        (Value::Object(fields), [name]) => {
            fields.remove(name);
        }
        (Value::Object(fields), [name, rest @ ..]) => {
            if let Some(inner) = fields.get_mut(name) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}
