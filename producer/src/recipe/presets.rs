//! The presets that `--preset` names, and the default preset of a farm.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::preset::{Listed, Preset, Presets};
use common::recipe::{FileFormat, Outputs, Recipe, RecipeFile};
use common::say;

use crate::cli::exit::Error;
use crate::cli::settings::Settings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PresetChoice {
    File(PathBuf),
    Named(Token),
}

/// Names of presets have no dot and no slash; paths of recipe files have one.
impl FromStr for PresetChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(name) => Self::Named(name),
            Err(_) => Self::File(text.into()),
        })
    }
}

impl fmt::Display for PresetChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Named(name) => name.fmt(f),
        }
    }
}

/// Where presets are looked up.
#[derive(Clone, Copy)]
pub(crate) enum PresetSource<'a> {
    /// In a farm. Its default preset is used if the options name no encoder.
    Farm(&'a Settings),
    /// In a farm, without its default.
    FarmByName(&'a Settings),
    /// Among the built-in presets: there is no farm.
    BuiltIn,
}

/// What options start from: a preset.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub recipe: Recipe,
    pub outputs: Outputs,
    /// The preset's name, for the names of outputs.
    pub name: Token,
}

impl Start {
    fn of(listed: &Listed) -> Self {
        let Preset {
            recipe, outputs, ..
        } = listed.preset.clone();
        Self {
            recipe,
            outputs,
            name: listed.name.clone(),
        }
    }
}

impl PresetSource<'_> {
    /// The preset that the options start from, if any. The farm is asked only if needed.
    ///
    /// # Errors
    /// If the preset is missing or cannot be read, or the farm is out of reach.
    pub(crate) async fn base(
        self,
        choice: Option<&PresetChoice>,
        names_encoder: bool,
    ) -> Result<Option<Start>, Error> {
        match (choice, self) {
            (Some(PresetChoice::File(path)), _) => load(path).map(Some),
            (Some(PresetChoice::Named(name)), Self::BuiltIn) => {
                let presets = Presets::built_in();
                let found = presets.find(name).map_err(|error| {
                    Error::usage(format!(
                        "{error} built in; name the farm of another with --nats"
                    ))
                })?;
                Ok(Some(Start::of(found)))
            }
            (Some(PresetChoice::Named(name)), Self::Farm(farm) | Self::FarmByName(farm)) => {
                let presets = farm.connect().await?.presets().await?;
                let found = presets.find(name).map_err(Error::usage)?;
                Ok(Some(Start::of(found)))
            }
            (None, Self::Farm(farm)) if !names_encoder => {
                let presets = farm.connect().await?.presets().await?;
                let found = presets.default_preset().map_err(|error| {
                    Error::usage(format!(
                        "the default preset of the farm is missing: {error}; `producer presets default` chooses another"
                    ))
                })?;
                Ok(found.map(announced))
            }
            (None, _) => Ok(None),
        }
    }
}

/// The default preset. It is printed, because the options do not name it.
fn announced(default: &Listed) -> Start {
    let recipe = &default.preset.recipe;
    say!("using the farm's default preset {}: {recipe}", default.name);
    Start::of(default)
}

/// The preset of a recipe file. Its name is the file's.
fn load(path: &Path) -> Result<Start, Error> {
    let Preset {
        recipe, outputs, ..
    } = read_file(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Start {
        recipe,
        outputs,
        name: Token::sanitised(&stem),
    })
}

/// Reads a recipe file.
///
/// # Errors
/// The file is no recipe file; the error names the place, and what to do.
pub(crate) fn read_file(path: &Path) -> Result<Preset, Error> {
    let name = printable(&path.display().to_string());
    let failed = |why: String| Error::usage(format!("preset {name}: {}", printable(&why)));
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => FileFormat::Json,
        Some("toml") => FileFormat::Toml,
        _ => {
            return Err(failed(
                "expected a .toml or .json file, or a preset's name".to_owned(),
            ));
        }
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let read = RecipeFile::read(&text, format);
    read.map_err(|error| Error::usage(error.in_file(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_are_told_apart() {
        let named = |text: &str| matches!(text.parse(), Ok(PresetChoice::Named(_)));
        assert!(named("small-av1"));
        for file in ["small.toml", "presets/small", "a b", ""] {
            assert!(!named(file), "{file}");
        }
    }

    #[test]
    fn what_is_written_as_a_file_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("preset.toml");
        for listed in Presets::built_in().iter() {
            let text = RecipeFile::from(listed.preset.clone()).to_toml();
            std::fs::write(&file, text).expect("written");
            let read = read_file(&file).expect("a recipe");
            assert_eq!(read, listed.preset, "{}", listed.name);
        }
    }

    #[test]
    fn a_file_that_is_no_recipe_says_what_it_should_be() {
        for (path, words) in [
            ("missing.toml", "preset missing.toml"),
            ("archive.txt", "expected a .toml or .json file"),
        ] {
            let error = read_file(Path::new(path)).expect_err("refused").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
