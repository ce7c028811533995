//! `producer presets`: recipes with a name, and the default for jobs that name no encoder.

mod import;
mod show;

use clap::{ArgGroup, Args, Subcommand};
use common::broker::{Overwrite, SettingsError};
use common::names::token::Token;
use common::recipe::preset::Preset;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::import::{Import, import};
use self::show::{New, Show, list, new, schema, show};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::examples;
use crate::display::output;
use crate::recipe::known::check_known;
use crate::recipe::options::{Ordered, RecipeOptions};
use crate::recipe::presets::PresetSource;

/// Without a subcommand, the presets are listed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print a preset as a recipe file, for `--preset FILE`, or as ffmpeg's arguments for a file
    #[command(after_long_help = examples::PRESETS_SHOW)]
    Show(Box<Show>),
    /// Write a recipe file, with its schema beside it for editors
    #[command(after_long_help = examples::PRESETS_NEW)]
    New(Box<New>),
    /// Make a recipe of a HandBrake preset or of an ffmpeg command line
    #[command(after_long_help = examples::PRESETS_IMPORT)]
    Import(Box<Import>),
    /// Print the JSON Schema of recipe files
    #[command(after_long_help = examples::PRESETS_SCHEMA)]
    Schema,
    /// Save a recipe under a name
    #[command(after_long_help = examples::PRESETS_SAVE)]
    Save(Box<Save>),
    /// Remove a saved preset; existing jobs keep their recipe
    #[command(after_long_help = examples::PRESETS_REMOVE)]
    Remove {
        /// Preset name
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Choose the preset for jobs that name no encoder
    #[command(after_long_help = examples::PRESETS_DEFAULT)]
    Default(DefaultArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Save {
    /// Preset name: letters, digits, `-` and `_`
    #[arg(id = "preset_name", value_name = "NAME")]
    pub name: Token,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// Description, in one line
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Replace an existing preset of this name
    #[arg(long)]
    pub overwrite: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "producer presets default <NAME|--none>")]
#[command(group(ArgGroup::new("which").required(true).args(["name", "none"])))]
pub(crate) struct DefaultArgs {
    /// Preset name
    #[arg(value_name = "NAME")]
    pub name: Option<Token>,
    /// Have no default preset
    #[arg(long)]
    pub none: bool,
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Broker(error) => error.into(),
            SettingsError::Unknown(_) => Self::usage(error),
            SettingsError::Taken(_) => Self::failed(format!("{error}; --overwrite replaces it")),
            SettingsError::Changed(_) | SettingsError::BuiltIn(_) | SettingsError::IsDefault(_) => {
                Self::failed(error)
            }
        }
    }
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    preset: Option<&'a Token>,
}

impl Options {
    /// Whether the command writes to the farm.
    pub(crate) fn keeps(&self) -> bool {
        match &self.verb {
            Some(Verb::Save(_) | Verb::Default(_)) => true,
            Some(Verb::Import(options)) => options.save.is_some(),
            _ => false,
        }
    }
}

pub(super) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let json = options.json;
    match options.verb {
        None => list(settings, json).await,
        Some(Verb::Show(options)) => show(*options, settings, json, shutdown).await,
        Some(Verb::New(options)) => new(*options, settings, json).await,
        Some(Verb::Import(options)) => import(*options, settings, json).await,
        Some(Verb::Schema) => schema(),
        Some(Verb::Save(options)) => save(*options, settings, json).await,
        Some(Verb::Remove { name }) => {
            let broker = settings.connect().await?;
            broker.remove_preset(&name, None).await?;
            let done = format!("removed {name}; existing jobs keep their recipe");
            print_change(Some(&name), &done, json)
        }
        Some(Verb::Default(DefaultArgs { name, .. })) => {
            let broker = settings.connect().await?;
            broker.set_default_preset(name.as_ref()).await?;
            let done = match &name {
                Some(name) => format!("{name} is now the default preset"),
                None => "there is no default preset any more".to_owned(),
            };
            print_change(name.as_ref(), &done, json)
        }
    }
}

async fn save(options: Save, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let source = PresetSource::FarmByName(settings);
    let Ordered {
        recipe, outputs, ..
    } = options.recipe.ordered(source, None).await?;
    let preset = Preset::new(recipe, options.note.as_deref())
        .map_err(Error::usage)?
        .with_outputs(&options.name, outputs)
        .map_err(Error::usage)?;
    keep(&options.name, &preset, options.overwrite, settings, json).await
}

/// Saves a preset in the farm.
async fn keep(
    name: &Token,
    preset: &Preset,
    overwrite: bool,
    settings: &Settings,
    json: bool,
) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    check_known(&preset.recipe, &broker.workers().await?)?;
    let over = match overwrite {
        true => Overwrite::Anything,
        false => Overwrite::Nothing,
    };
    broker.save_preset(name, preset, over).await?;
    print_change(Some(name), &format!("saved {name}: {preset}"), json)
}

fn print_change(preset: Option<&Token>, done: &str, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(&ChangeJson { preset })?;
    } else {
        output::print(done);
    }
    Ok(Exit::Done)
}
