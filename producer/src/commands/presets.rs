//! `producer presets`: recipes by name, and the one that jobs get where nothing
//! else says how.

use clap::{ArgGroup, Args, Subcommand};
use common::broker::{Broker, Over, SettingsError};
use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::preset::{Listed, Preset, Presets};
use serde::Serialize;

use crate::display::table::table;
use crate::display::{output, table};
use crate::exit::{Error, Exit};
use crate::recipe::known::check_known;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::settings::Settings;

/// What to do about presets; without a verb, they are listed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do about presets.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Print one as TOML, as `--preset FILE` reads it
    Show {
        /// Which
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Keep a recipe under a name
    Save(Box<Save>),
    /// Forget a saved one; jobs keep the recipe that they were made with
    Remove {
        /// Which
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Name the one that jobs get where nothing else says how
    Default(DefaultArgs),
}

/// What to keep.
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// What it is to go by: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    pub name: Token,
    /// The recipe.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// What it is for, in one line
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Replace the one that was saved under this name
    #[arg(long)]
    pub overwrite: bool,
}

/// Which is to be the default.
#[derive(Debug, Args)]
#[command(override_usage = "producer presets default <NAME|--none>")]
#[command(group(ArgGroup::new("which").required(true).args(["name", "none"])))]
pub(crate) struct DefaultArgs {
    /// The preset
    #[arg(value_name = "NAME")]
    pub name: Option<Token>,
    /// Have no default
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

/// A preset for machines.
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

/// A change for machines.
#[derive(Serialize)]
struct ChangeJson<'a> {
    preset: Option<&'a Token>,
}

impl Options {
    /// Whether something is kept in the farm.
    pub(crate) fn keeps(&self) -> bool {
        matches!(self.verb, Some(Verb::Save(_) | Verb::Default(_)))
    }
}

/// Lists presets, or does what the verb says.
///
/// # Errors
/// Where the farm is out of reach, or there is no such preset.
pub(super) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let json = options.json;
    let broker = settings.connect().await?;
    match options.verb {
        None => list(&broker, json).await,
        Some(Verb::Show { name }) => show(&broker, &name, json).await,
        Some(Verb::Save(what)) => save(&broker, *what, settings, json).await,
        Some(Verb::Remove { name }) => {
            broker.remove_preset(&name, None).await?;
            let done = format!("removed {name}; jobs keep the recipe that they were made with");
            tell(Some(&name), &done, json)
        }
        Some(Verb::Default(DefaultArgs { name, .. })) => {
            broker.set_default_preset(name.as_ref()).await?;
            let done = match &name {
                Some(name) => format!("{name} is the recipe of jobs where nothing else says how"),
                None => "no preset is the default any more".to_owned(),
            };
            tell(name.as_ref(), &done, json)
        }
    }
}

async fn list(broker: &Broker, json: bool) -> Result<Exit, Error> {
    let presets = broker.presets().await?;
    if json {
        let lines: Vec<PresetJson<'_>> = presets
            .iter()
            .map(|one| PresetJson::of(one, &presets))
            .collect();
        output::print_json(&lines)?;
        return Ok(Exit::Done);
    }
    if let Err(gone) = presets.default_preset() {
        eprintln!("warning: the default is gone: {gone}");
    }
    let mut table = table(&["Preset", "Recipe", "Note", ""]);
    for listed in presets.iter() {
        let is_default = presets.default_name() == Some(&listed.name);
        let marks = [
            (is_default, "default"),
            (listed.revision.is_none(), "built in"),
        ];
        let marks = marks.iter().filter(|(is_so, _)| *is_so);
        table.add_row(vec![
            listed.name.to_string(),
            listed.preset.recipe.to_string(),
            printable(listed.preset.note.as_deref().unwrap_or_default()),
            marks.map(|(_, word)| *word).collect::<Vec<_>>().join(", "),
        ]);
    }
    output::print(&table::text(&table));
    Ok(Exit::Done)
}

async fn show(broker: &Broker, name: &Token, json: bool) -> Result<Exit, Error> {
    let presets = broker.presets().await?;
    let listed = presets.find(name).map_err(Error::usage)?;
    if json {
        output::print_json(&PresetJson::of(listed, &presets))?;
        return Ok(Exit::Done);
    }
    let recipe = toml::to_string(&listed.preset.recipe).map_err(Error::out_of_reach)?;
    let note = listed.preset.note.as_deref().map(printable);
    let note = note.map_or_else(String::new, |note| format!("# {note}\n"));
    output::print(&format!("{note}{recipe}"));
    Ok(Exit::Done)
}

async fn save(broker: &Broker, what: Save, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let shelf = PresetSource::FarmByName(settings);
    let recipe = what.recipe.recipe(shelf, None).await?;
    check_known(&recipe, &broker.workers().await?)?;
    let preset = Preset::new(recipe, what.note.as_deref()).map_err(Error::usage)?;
    let over = if what.overwrite {
        Over::Anything
    } else {
        Over::Nothing
    };
    broker.save_preset(&what.name, &preset, over).await?;
    let done = format!("saved {}: {}", what.name, preset.recipe);
    tell(Some(&what.name), &done, json)
}

fn tell(preset: Option<&Token>, done: &str, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(&ChangeJson { preset })?;
    } else {
        output::print(done);
    }
    Ok(Exit::Done)
}
