//! `producer enqueue`: submits media to the farm.

use std::path::PathBuf;

use clap::Args;
use common::submit::terms::Renew;
use tokio_util::sync::CancellationToken;

use super::on_farm::Request;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::notify::NotifyOptions;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::submit::destination::Destination;
use crate::submit::replace::ReplaceOptions;
use crate::submit::sources::SourceOptions;
use crate::submit::submission::Order;
use crate::submit::terms::JobOptions;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]; with a store, results for a folder are made there and downloaded (--wait, or `producer download` later)
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceOptions,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    #[command(flatten)]
    pub jobs: JobOptions,
    #[command(flatten)]
    pub notify: NotifyOptions,
    /// Wait until all jobs have ended; show progress and a summary
    #[arg(long)]
    pub wait: bool,
    /// Make outputs again that were completed but are missing now
    #[arg(long)]
    pub missing: bool,
    /// Refuse (exit 1) if no live worker has proved the encoder, instead of letting jobs wait for one
    #[arg(long)]
    pub require_worker: bool,
}

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let told = options.notify.read(options.wait && !options.jobs.dry_run)?;
    let outputs = options
        .recipe
        .output_set(PresetSource::Farm(settings), None)
        .await?;
    let (replace, named) = (&options.replace, &options.sources.paths);
    let destination = Destination::by(replace, named, options.output.as_deref(), settings)?;
    let request = Request {
        order: Order::Each(&options.sources),
        outputs: destination.fit(outputs)?,
        jobs: &options.jobs,
        upload_to: destination.upload_to(settings),
        destination,
        require_worker: options.require_worker,
        wait: options.wait,
        told,
        renew: if options.missing {
            Renew::Gone
        } else {
            Renew::Never
        },
    };
    request.run(settings, shutdown).await
}
