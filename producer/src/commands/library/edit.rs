//! `producer library edit`.

use std::path::PathBuf;

use clap::Args;
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
    /// Library name
    #[arg(id = "library", value_name = "NAME")]
    name: Token,
    /// Another folder or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION")]
    location: Option<PathBuf>,
    #[command(flatten)]
    library: LibraryOptions,
    /// Only show what would be done with each file that is there now, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    recipe: RecipeOptions,
}

pub(super) async fn run(options: Options, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let moved = options.location.as_deref().map(location).transpose()?;
    let source = PresetSource::FarmByName(settings);
    let preset = options.recipe.chosen(source).await?;
    let broker = settings.connect().await?;
    let edit = |library: &mut Library| {
        let base = preset.clone().unwrap_or_else(|| Ordered {
            recipe: library.recipe.clone(),
            outputs: library.outputs.clone(),
            preset: library.preset.clone(),
        });
        let ordered = options.recipe.over(base)?;
        library.recipe = ordered.recipe;
        library.outputs = ordered.outputs;
        library.preset = ordered.preset;
        if let Some(moved) = &moved {
            library.location.clone_from(moved);
        }
        options.library.apply(library)
    };
    let workers = broker.workers().await?;
    let edit = |library: &mut Library| {
        edit(library)?;
        check_known(&library.recipe, &workers)
    };
    if options.dry_run {
        let mut library = broker.library(&options.name).await?.library;
        edit(&mut library)?;
        return dry_run::run(settings, &options.name, &library, json).await;
    }
    let stored = broker.edit_library(&options.name, edit).await?;
    warn(&broker, &stored.library).await?;
    let done = format!("changed {}; its next scan goes by it", options.name);
    super::print(&options.name, Some(&stored), &done, json)
}
