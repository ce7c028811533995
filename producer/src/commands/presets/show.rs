//! `producer presets`, `presets show` and `presets new`: presets as a table, as recipe files, and as ffmpeg's commands.

use std::path::{Path, PathBuf};

use clap::Args;
use common::broker::Broker;
use common::names::printable::printable;
use common::recipe::RecipeFile;
use common::recipe::preset::{Listed, Preset, Presets};
use common::say;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::{self, MachineOptions};
use crate::display::table::table;
use crate::display::{output, table};
use crate::recipe::options::{Ordered, RecipeOptions};
use crate::recipe::presets::{PresetChoice, PresetSource, read_file};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Preset name, or a .toml or .json recipe file
    #[arg(value_name = "NAME|FILE")]
    pub name: PresetChoice,
    /// As a TOML recipe file; this is the default
    #[arg(long, conflicts_with_all = ["json", "ffmpeg"])]
    pub toml: bool,
    /// ffmpeg's arguments for this file, as a worker would run them; nothing is encoded
    #[arg(long, value_name = "FILE")]
    pub ffmpeg: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The file to write: .toml or .json
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// Description, in one line
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Replace an existing file
    #[arg(long)]
    pub overwrite: bool,
}

#[derive(Serialize)]
struct PresetJson<'a> {
    #[serde(flatten)]
    listed: &'a Listed,
    default: bool,
}

impl<'a> PresetJson<'a> {
    fn of(listed: &'a Listed, presets: &Presets) -> Self {
        Self {
            listed,
            default: presets.default_name() == Some(&listed.name),
        }
    }
}

/// The presets of the farm. Where no farm is named and none is on this machine, those that are built in.
async fn presets(settings: &Settings) -> Result<Presets, Error> {
    match settings.connect().await {
        Ok(broker) => Ok(Broker::presets(&broker).await?),
        Err(error) if !settings.names_a_farm() && error.exit() == Exit::OutOfReach => {
            say!("no farm on this machine, and none is named with --nats: built-in presets only");
            Ok(Presets::built_in())
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn list(settings: &Settings, json: bool) -> Result<Exit, Error> {
    let presets = presets(settings).await?;
    if json {
        let lines: Vec<PresetJson<'_>> = presets
            .iter()
            .map(|one| PresetJson::of(one, &presets))
            .collect();
        output::print_json(&lines)?;
        return Ok(Exit::Done);
    }
    if let Err(error) = presets.default_preset() {
        say!("warning: the default preset is missing: {error}");
    }
    let mut table = table(&["Preset", "What it is for", "Recipe", ""]);
    for listed in presets.iter() {
        let is_default = presets.default_name() == Some(&listed.name);
        let marks = [
            (is_default, "default"),
            (listed.revision.is_none(), "built in"),
        ];
        let marks = marks.iter().filter(|(is_so, _)| *is_so);
        table::add_row(
            &mut table,
            &[
                listed.name.to_string(),
                printable(listed.preset.note.as_deref().unwrap_or_default()),
                listed.preset.to_string(),
                marks.map(|(_, word)| *word).collect::<Vec<_>>().join(", "),
            ],
        );
    }
    output::print(&table::text(&table));
    Ok(Exit::Done)
}

pub(super) async fn show(
    options: Show,
    settings: &Settings,
    json: bool,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let preset = match &options.name {
        PresetChoice::File(path) => {
            let preset = read_file(path)?;
            if json && options.ffmpeg.is_none() {
                output::print(&RecipeFile::from(preset).to_json());
                return Ok(Exit::Done);
            }
            preset
        }
        PresetChoice::Named(name) => {
            let presets = presets(settings).await?;
            let listed = presets.find(name).map_err(Error::usage)?;
            if json && options.ffmpeg.is_none() {
                output::print_json(&PresetJson::of(listed, &presets))?;
                return Ok(Exit::Done);
            }
            listed.preset.clone()
        }
    };
    let Some(file) = options.ffmpeg else {
        output::print(&RecipeFile::from(preset).to_toml());
        return Ok(Exit::Done);
    };
    let recipes = preset.outputs.recipes(&preset.recipe);
    let mut commands = Vec::new();
    for recipe in recipes.map_err(Error::usage)? {
        let machine = MachineOptions::from_environment();
        let of = encode::commands(recipe, file.clone(), machine, settings, shutdown);
        commands.extend(of.await?);
    }
    if json {
        output::print_json(&commands)?;
    } else {
        output::print(&commands.join("\n"));
    }
    Ok(Exit::Done)
}

/// Prints the JSON Schema of recipe files.
pub(super) fn schema() -> Result<Exit, Error> {
    output::print_json(&RecipeFile::schema())?;
    Ok(Exit::Done)
}

/// Writes a recipe file, and the schema beside it, which editors look for there.
pub(super) async fn new(options: New, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let source = match (settings.names_a_farm(), &options.recipe.preset) {
        (true, _) => PresetSource::FarmByName(settings),
        (false, _) => PresetSource::BuiltIn,
    };
    let Ordered {
        recipe, outputs, ..
    } = options.recipe.ordered(source, None).await?;
    let mut preset = Preset::new(recipe, options.note.as_deref()).map_err(Error::usage)?;
    preset.outputs = outputs;
    let written = write(&options.file, preset, options.overwrite)?;
    print_written(&[written], json)
}

/// A recipe file that was written.
#[derive(Serialize)]
pub(super) struct Written {
    file: PathBuf,
    /// The schema for editors, which stands beside the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<PathBuf>,
}

pub(super) fn print_written(files: &[Written], json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(&files)?;
        return Ok(Exit::Done);
    }
    for Written { file, schema } in files {
        let file = printable(&file.display().to_string());
        output::print(&match schema {
            Some(_) => format!(
                "wrote {file}, and {} beside it for editors",
                RecipeFile::SCHEMA
            ),
            None => format!("wrote {file}"),
        });
    }
    Ok(Exit::Done)
}

/// Writes a preset to a recipe file, and the schema beside it.
///
/// # Errors
/// The file is there and may not be replaced, or cannot be written.
pub(super) fn write(path: &Path, preset: Preset, overwrite: bool) -> Result<Written, Error> {
    let file = RecipeFile::from(preset);
    let shown = printable(&path.display().to_string());
    let text = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => file.to_toml(),
        Some("json") => file.to_json(),
        _ => {
            return Err(Error::usage(format!(
                "{shown}: a recipe file ends with .toml or .json"
            )));
        }
    };
    let failed = |error: std::io::Error| Error::failed(format!("cannot write {shown}: {error}"));
    may_write(path, overwrite)?;
    std::fs::write(path, text).map_err(failed)?;
    Ok(Written {
        file: path.to_owned(),
        schema: write_schema(path).map_err(failed)?,
    })
}

/// Makes sure that a recipe file may be written there.
///
/// # Errors
/// Another file has its name, or it is the name of the schema.
pub(super) fn may_write(path: &Path, overwrite: bool) -> Result<(), Error> {
    let shown = printable(&path.display().to_string());
    if path
        .file_name()
        .is_some_and(|name| name == RecipeFile::SCHEMA)
    {
        return Err(Error::usage(format!(
            "{shown}: the schema of recipe files has this name: choose another one"
        )));
    }
    if path.symlink_metadata().is_ok() && !overwrite {
        return Err(Error::failed(format!(
            "{shown} is there already; --overwrite replaces it"
        )));
    }
    Ok(())
}

/// Writes the schema beside a recipe file. Another file of its name is kept, unless it is a schema of ours.
fn write_schema(recipe: &Path) -> std::io::Result<Option<PathBuf>> {
    let path = recipe.with_file_name(RecipeFile::SCHEMA);
    let schema = RecipeFile::schema();
    let is_ours = |text: &[u8]| {
        let there = serde_json::from_slice::<serde_json::Value>(text);
        there.is_ok_and(|there| there["title"] == schema["title"])
    };
    match std::fs::read(&path) {
        Ok(text) if !is_ours(&text) => {
            say!(
                "{} is another file and was kept: `producer presets schema` prints the schema of recipe files",
                printable(&path.display().to_string())
            );
            return Ok(None);
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    std::fs::write(&path, format!("{schema:#}\n"))?;
    Ok(Some(path))
}

#[cfg(test)]
mod tests {
    use common::recipe::Recipe;

    use super::*;

    #[test]
    fn a_file_of_the_schemas_name_is_kept_unless_it_is_a_schema() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let preset = || Preset::new(Recipe::copy(), None).expect("sound");
        let schema = at(RecipeFile::SCHEMA);
        std::fs::write(&schema, "mine").expect("written");
        let written = write(&at("a.toml"), preset(), true).expect("written");
        assert_eq!(written.schema, None);
        assert_eq!(std::fs::read(&schema).expect("there"), b"mine");
        // One of an older version is brought up to date.
        let title = &RecipeFile::schema()["title"];
        std::fs::write(&schema, format!("{{\"title\": {title}}}")).expect("written");
        write(&at("b.toml"), preset(), false).expect("written");
        let now = std::fs::read_to_string(&schema).expect("there");
        assert_eq!(now, format!("{:#}\n", RecipeFile::schema()));
        for (name, words) in [
            (RecipeFile::SCHEMA, "choose another one"),
            ("b.toml", "--overwrite"),
        ] {
            let error = may_write(&at(name), false).expect_err(name).to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
