//! `producer presets`: recipes with a name, and the default for jobs that name no encoder.

use clap::{ArgGroup, Args, Subcommand};
use common::broker::{Broker, Overwrite, SettingsError};
use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::preset::{Listed, Preset, Presets};
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::table;
use crate::display::{output, table};
use crate::recipe::known::check_known;
use crate::recipe::options::RecipeOptions;
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
    /// Print a preset as TOML, in the format of `--preset FILE`
    Show {
        /// Preset name
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Save a recipe under a name
    Save(Box<Save>),
    /// Remove a saved preset; existing jobs keep their recipe
    Remove {
        /// Preset name
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Choose the preset for jobs that name no encoder
    Default(DefaultArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Save {
    /// Preset name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
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

#[derive(Serialize)]
struct ChangeJson<'a> {
    preset: Option<&'a Token>,
}

impl Options {
    /// Whether the command writes to the farm.
    pub(crate) fn keeps(&self) -> bool {
        matches!(self.verb, Some(Verb::Save(_) | Verb::Default(_)))
    }
}

pub(super) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let json = options.json;
    let broker = settings.connect().await?;
    match options.verb {
        None => list(&broker, json).await,
        Some(Verb::Show { name }) => show(&broker, &name, json).await,
        Some(Verb::Save(options)) => save(&broker, *options, settings, json).await,
        Some(Verb::Remove { name }) => {
            broker.remove_preset(&name, None).await?;
            let done = format!("removed {name}; existing jobs keep their recipe");
            print_change(Some(&name), &done, json)
        }
        Some(Verb::Default(DefaultArgs { name, .. })) => {
            broker.set_default_preset(name.as_ref()).await?;
            let done = match &name {
                Some(name) => format!("{name} is now the default preset"),
                None => "there is no default preset any more".to_owned(),
            };
            print_change(name.as_ref(), &done, json)
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
    if let Err(error) = presets.default_preset() {
        eprintln!("warning: the default preset is missing: {error}");
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

async fn save(
    broker: &Broker,
    options: Save,
    settings: &Settings,
    json: bool,
) -> Result<Exit, Error> {
    let source = PresetSource::FarmByName(settings);
    let recipe = options.recipe.recipe(source, None).await?;
    check_known(&recipe, &broker.workers().await?)?;
    let preset = Preset::new(recipe, options.note.as_deref()).map_err(Error::usage)?;
    let over = if options.overwrite {
        Overwrite::Anything
    } else {
        Overwrite::Nothing
    };
    broker.save_preset(&options.name, &preset, over).await?;
    let done = format!("saved {}: {}", options.name, preset.recipe);
    print_change(Some(&options.name), &done, json)
}

fn print_change(preset: Option<&Token>, done: &str, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(&ChangeJson { preset })?;
    } else {
        output::print(done);
    }
    Ok(Exit::Done)
}
