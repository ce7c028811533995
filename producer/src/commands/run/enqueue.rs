//! `producer enqueue`: submits media to the farm.

use std::path::PathBuf;

use clap::Args;
use common::names::location::Location;
use tokio_util::sync::CancellationToken;

use super::on_farm::Request;
use crate::exit::{Error, Exit};
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::settings::Settings;
use crate::submit::destination::Destination;
use crate::submit::sources::SourceOptions;
use crate::submit::terms::{JobOptions, Renew};

/// What to submit, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What to encode.
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]; with a store, results for a folder are made there and downloaded (--wait, or `producer download` later)
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// On what terms.
    #[command(flatten)]
    pub jobs: JobOptions,
    /// Stay until all jobs have ended, showing progress and a summary
    #[arg(long)]
    pub wait: bool,
    /// Make anew what is done, but whose output is gone
    #[arg(long)]
    pub missing: bool,
    /// Refuse (exit 1) where no live worker has proved the encoder, instead of letting jobs wait for one
    #[arg(long)]
    pub require_worker: bool,
}

/// # Errors
/// See [`Exit`].
pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let recipe = options
        .recipe
        .recipe(PresetSource::Farm(settings), None)
        .await?;
    let request = Request {
        sources: &options.sources,
        destination: Destination::new(options.output.as_deref(), settings)?,
        recipe,
        jobs: &options.jobs,
        upload_to: settings.store.clone().filter(Location::is_remote),
        require_worker: options.require_worker,
        wait: options.wait,
        renew: if options.missing {
            Renew::Gone
        } else {
            Renew::Never
        },
    };
    request.run(settings, shutdown).await
}
