//! `producer library add`.

use std::path::PathBuf;

use clap::Args;
use common::broker::Overwrite;
use common::library::Library;
use common::names::token::Token;

use super::dry_run;
use super::settings::{LibraryOptions, location, warn};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::recipe::known::check_known;
use crate::recipe::options::{Ordered, RecipeOptions};
use crate::recipe::presets::PresetSource;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Library name: letters, digits, `-` and `_`
    #[arg(id = "library", value_name = "NAME")]
    name: Token,
    /// Folder or s3://bucket/prefix
    #[arg(value_name = "LOCATION")]
    location: PathBuf,
    #[command(flatten)]
    library: LibraryOptions,
    /// Add it paused: `library resume` starts it
    #[arg(long)]
    paused: bool,
    /// Only show what would be done with each file that is there now: its output, or why it is skipped, and what would be kept, converted or lost
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    recipe: RecipeOptions,
}

impl Options {
    /// Whether nothing is to be stored.
    pub(super) fn is_dry(&self) -> bool {
        self.dry_run
    }
}

pub(super) async fn run(options: Options, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let location = location(&options.location)?;
    let Some(results) = options.library.results(&location)? else {
        return Err(Error::usage(
            "say where the results go: -o FOLDER, -o s3://BUCKET/PREFIX, or --replace",
        ));
    };
    let source = PresetSource::Farm(settings);
    let Ordered {
        recipe,
        outputs,
        preset,
    } = options.recipe.ordered(source, None).await?;
    let broker = settings.connect().await?;
    check_known(&recipe, &broker.workers().await?)?;
    let mut library = Library {
        outputs,
        preset,
        paused: options.paused,
        ..Library::new(location, recipe, results, broker.now())
    };
    options.library.apply(&mut library)?;
    let name = &options.name;
    if options.dry_run {
        return dry_run::run(settings, name, &library, json).await;
    }
    let revision = broker
        .save_library(name, &library, Overwrite::Nothing)
        .await?;
    warn(&broker, &library).await?;
    let done = format!(
        "added {name}: the farm keeps {} in shape; `producer library show {name}` tells what it finds",
        library.location
    );
    let stored = common::broker::StoredLibrary {
        name: name.clone(),
        library,
        revision,
    };
    super::print(name, Some(&stored), &done, json)
}
