//! `producer library`: folders and bucket prefixes that the farm keeps in shape.

mod add;
mod dry_run;
mod edit;
mod files;
mod list;
mod settings;
mod show;

use clap::{Args, Subcommand};
use common::broker::{CatalogError, StoredLibrary};
use common::library::Library;
use common::names::token::Token;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::examples;
use crate::display::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a folder or bucket prefix that the farm is to keep in shape
    #[command(after_long_help = examples::LIBRARY_ADD)]
    Add(Box<add::Options>),
    /// List the libraries with their totals
    #[command(after_long_help = examples::LIBRARY_LIST)]
    List,
    /// Show what a library holds, what could be saved, and what is left to do
    #[command(after_long_help = examples::LIBRARY_SHOW)]
    Show(Named),
    /// List the files of a library, with what becomes of each
    #[command(after_long_help = examples::LIBRARY_FILES)]
    Files(files::Options),
    /// Change a library; options that are not given stay as they are
    #[command(after_long_help = examples::LIBRARY_EDIT)]
    Edit(Box<edit::Options>),
    /// Remove a library; its jobs and all files stay
    #[command(after_long_help = examples::LIBRARY_REMOVE)]
    Remove(Named),
    /// Scan a library now
    #[command(after_long_help = examples::LIBRARY_SCAN)]
    Scan(Named),
    /// Pause a library: no more scans, and its waiting jobs are not started
    #[command(after_long_help = examples::LIBRARY_PAUSE)]
    Pause(Named),
    /// Resume a library
    #[command(after_long_help = examples::LIBRARY_RESUME)]
    Resume(Named),
}

/// A library by its name.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Library name
    #[arg(id = "library", value_name = "NAME")]
    pub name: Token,
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Broker(error) => error.into(),
            CatalogError::Unsound(_) | CatalogError::Unknown { .. } => Self::usage(error),
            CatalogError::Taken(_) | CatalogError::Changed(_) => Self::failed(error),
        }
    }
}

impl Options {
    /// Whether the command makes a farm on a broker that has none.
    pub(crate) fn keeps(&self) -> bool {
        matches!(&self.verb, Verb::Add(options) if !options.is_dry())
    }
}

pub(super) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let json = options.json;
    match options.verb {
        Verb::Add(options) => add::run(*options, settings, json).await,
        Verb::List => list::run(settings, json).await,
        Verb::Show(Named { name }) => show::run(&name, settings, json).await,
        Verb::Files(options) => files::run(options, settings, json).await,
        Verb::Edit(options) => edit::run(*options, settings, json).await,
        Verb::Remove(Named { name }) => {
            let broker = settings.connect().await?;
            broker.remove_library(&name, None).await?;
            print(
                &name,
                None,
                &format!("removed {name}; its jobs and all files stay"),
                json,
            )
        }
        Verb::Scan(Named { name }) => {
            let now = settings.connect().await?.now();
            let ask = |library: &mut Library| match library.paused {
                true => Err(Error::failed(format!(
                    "the library {name} is paused: `producer library resume {name}` first"
                ))),
                false => {
                    library.asked = Some(now);
                    Ok(())
                }
            };
            change(&name, settings, ask, "is to be scanned now", json).await
        }
        Verb::Pause(Named { name }) => set_paused(&name, true, settings, json).await,
        Verb::Resume(Named { name }) => set_paused(&name, false, settings, json).await,
    }
}

async fn set_paused(
    name: &Token,
    paused: bool,
    settings: &Settings,
    json: bool,
) -> Result<Exit, Error> {
    let done = match paused {
        true => "is paused: running jobs finish, no more are started",
        false => "is resumed",
    };
    let pause = |library: &mut Library| {
        library.paused = paused;
        Ok(())
    };
    change(name, settings, pause, done, json).await
}

/// Changes a library, and says what was done.
async fn change(
    name: &Token,
    settings: &Settings,
    edit: impl FnMut(&mut Library) -> Result<(), Error>,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let stored = broker.edit_library(name, edit).await?;
    print(name, Some(&stored), &format!("library {name} {done}"), json)
}

/// A library as JSON.
#[derive(Serialize)]
struct LibraryJson<'a> {
    name: &'a Token,
    library: Option<&'a Library>,
    revision: Option<u64>,
}

fn print(
    name: &Token,
    stored: Option<&StoredLibrary>,
    done: &str,
    json: bool,
) -> Result<Exit, Error> {
    if json {
        output::print_json(&LibraryJson {
            name,
            library: stored.map(|stored| &stored.library),
            revision: stored.map(|stored| stored.revision),
        })?;
    } else {
        output::print(done);
    }
    Ok(Exit::Done)
}
