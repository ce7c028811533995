//! The presets that `--preset` names, and the default preset of a farm.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::Recipe;
use common::recipe::preset::{Listed, Presets};

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

impl PresetSource<'_> {
    /// The recipe that the options start from, if any. The farm is asked only if needed.
    ///
    /// # Errors
    /// If the preset is missing or cannot be read, or the farm is out of reach.
    pub(crate) async fn base(
        self,
        choice: Option<&PresetChoice>,
        names_encoder: bool,
    ) -> Result<Option<Recipe>, Error> {
        match (choice, self) {
            (Some(PresetChoice::File(path)), _) => load(path).map(Some),
            (Some(PresetChoice::Named(name)), Self::BuiltIn) => {
                let presets = Presets::built_in();
                let found = presets.find(name).map_err(|error| {
                    Error::usage(format!(
                        "{error} built in; name the farm of another with --nats"
                    ))
                })?;
                Ok(Some(found.preset.recipe.clone()))
            }
            (Some(PresetChoice::Named(name)), Self::Farm(farm) | Self::FarmByName(farm)) => {
                let presets = farm.connect().await?.presets().await?;
                let found = presets.find(name).map_err(Error::usage)?;
                Ok(Some(found.preset.recipe.clone()))
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

/// The recipe of the default preset. The default is printed, because the options do not name it.
fn announced(default: &Listed) -> Recipe {
    let recipe = default.preset.recipe.clone();
    eprintln!("using the farm's default preset {}: {recipe}", default.name);
    recipe
}

fn load(path: &Path) -> Result<Recipe, Error> {
    let failed = |why: String| {
        let why = why.trim().replace('\n', " ");
        Error::usage(format!("preset {}: {}", path.display(), printable(&why)))
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("json" | "toml")) {
        return Err(failed(
            "expected a .toml or .json file, or a preset's name".to_owned(),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    match extension {
        Some("json") => serde_json::from_str(&text).map_err(|error| failed(error.to_string())),
        _ => toml::from_str(&text).map_err(|error| failed(error.message().to_owned())),
    }
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
            let recipe = &listed.preset.recipe;
            let text = toml::to_string(recipe).expect("plain data");
            std::fs::write(&file, text).expect("written");
            assert_eq!(load(&file).expect("a recipe"), *recipe, "{}", listed.name);
        }
    }

    #[test]
    fn a_file_that_is_no_recipe_says_what_it_should_be() {
        for (path, words) in [
            ("missing.toml", "preset missing.toml"),
            ("archive.txt", "expected a .toml or .json file"),
        ] {
            let error = load(Path::new(path)).expect_err("refused").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
