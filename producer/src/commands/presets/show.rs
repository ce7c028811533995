//! `producer presets`, `presets show` and `presets new`: presets as a table, as recipe files, and as ffmpeg's commands.

use std::path::PathBuf;

use clap::Args;
use common::broker::Broker;
use common::names::printable::printable;
use common::recipe::RecipeFile;
use common::recipe::preset::{Listed, Preset, Presets};
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
        Err(error) if settings.nats.is_none() && error.exit() == Exit::OutOfReach => {
            eprintln!(
                "no farm on this machine, and none is named with --nats: built-in presets only"
            );
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
        eprintln!("warning: the default preset is missing: {error}");
    }
    let mut table = table(&["Preset", "What it is for", "Recipe", ""]);
    for listed in presets.iter() {
        let is_default = presets.default_name() == Some(&listed.name);
        let marks = [
            (is_default, "default"),
            (listed.revision.is_none(), "built in"),
        ];
        let marks = marks.iter().filter(|(is_so, _)| *is_so);
        table.add_row(vec![
            listed.name.to_string(),
            printable(listed.preset.note.as_deref().unwrap_or_default()),
            listed.preset.to_string(),
            marks.map(|(_, word)| *word).collect::<Vec<_>>().join(", "),
        ]);
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
pub(super) async fn new(options: New, settings: &Settings) -> Result<Exit, Error> {
    let source = match (settings.nats.is_some(), &options.recipe.preset) {
        (true, _) => PresetSource::FarmByName(settings),
        (false, _) => PresetSource::BuiltIn,
    };
    let Ordered {
        recipe, outputs, ..
    } = options.recipe.ordered(source, None).await?;
    let mut preset = Preset::new(recipe, options.note.as_deref()).map_err(Error::usage)?;
    preset.outputs = outputs;
    write(&options.file, preset, options.overwrite)?;
    Ok(Exit::Done)
}

/// Writes a preset to a recipe file, and the schema beside it.
///
/// # Errors
/// The file is there and may not be replaced, or cannot be written.
pub(super) fn write(path: &std::path::Path, preset: Preset, overwrite: bool) -> Result<(), Error> {
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
    if path.exists() && !overwrite {
        return Err(Error::failed(format!(
            "{shown} is there already; --overwrite replaces it"
        )));
    }
    std::fs::write(path, text).map_err(failed)?;
    let schema = path.with_file_name(RecipeFile::SCHEMA);
    let text = format!("{:#}\n", RecipeFile::schema());
    std::fs::write(&schema, text).map_err(failed)?;
    output::print(&format!(
        "wrote {shown}, and {} beside it for editors",
        RecipeFile::SCHEMA
    ));
    Ok(())
}
