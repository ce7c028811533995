//! `producer encode`: encodes files into a folder. Without `--nats` it brings its own farm: a private broker and one
//! worker, which end with this command.

mod here;
mod options;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::queue::Priority;
use common::job::split::Split;
use common::recipe::{Choice, Recipe};
use common::submit::output_set::OutputSet;
use common::submit::terms::Renew;
use tokio_util::sync::CancellationToken;

pub(super) use self::here::{Encode, encoders_to_prove};
pub(crate) use self::options::{MachineOptions, Options};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::{dry_run, on_farm};
use crate::notify::Told;
use crate::recipe::presets::PresetSource;
use crate::submit::destination::Destination;
use crate::submit::rules::RuleOptions;
use crate::submit::sources::{Globs, SourceOptions};
use crate::submit::submission::Order;
use crate::submit::terms::JobOptions;

/// The default encoder.
pub(super) const ENCODER: &str = "libx265";

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let default = ENCODER.parse().map(Choice::Encoder).map_err(Error::usage)?;
    let source = match settings.names_a_farm() {
        true => PresetSource::FarmByName(settings),
        false => PresetSource::BuiltIn,
    };
    let told = options.notify.read(!options.jobs.dry_run)?;
    let outputs = options.recipe.output_set(source, Some(default)).await?;
    let (replace, named) = (&options.replace, &options.sources.paths);
    match settings.names_a_farm() {
        true => on_the_farm(&options, told, outputs, settings, shutdown).await,
        false => {
            let order = Order::Each(&options.sources);
            let with = (&options.machine, &options.jobs);
            let destination = match replace.terms(named)? {
                Some(_) => Destination::by(replace, named, None, settings)?,
                None => Destination::here(options.output.as_deref().unwrap_or(Path::new(".")))?,
            };
            let encode = Encode::prepare(order, destination, with, outputs, settings).await?;
            encode.run(&told, shutdown).await
        }
    }
}

/// The runs of ffmpeg for a file, as a worker would run them; nothing is encoded. Without a farm, the worker is one of
/// this machine.
///
/// # Errors
/// The job would fail, or no worker can tell.
pub(crate) async fn commands(
    recipe: Recipe,
    file: PathBuf,
    machine: MachineOptions,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Vec<String>, Error> {
    let paths = vec![file];
    if settings.names_a_farm() {
        return dry_run::commands(&recipe, &paths, settings).await;
    }
    let several = !recipe.fallback_queues().is_empty();
    let sources = SourceOptions {
        paths,
        globs: Globs::default(),
    };
    // No output is made, so no folder is.
    let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
    let jobs = JobOptions {
        priority: Priority::default(),
        attempts: 1,
        hop_after: several.then_some(Duration::from_secs(1)),
        worker: None,
        again: true,
        overwrite: true,
        sidecars: None,
        split: Split::Off,
        rules: RuleOptions::default(),
        dry_run: true,
        json: false,
    };
    let (order, with) = (Order::Each(&sources), (&machine, &jobs));
    let outputs = OutputSet::one(recipe);
    let destination = Destination::here(&folder)?;
    let encode = Encode::prepare(order, destination, with, outputs, settings).await?;
    encode.commands(shutdown).await
}

async fn on_the_farm(
    options: &Options,
    told: Told,
    outputs: OutputSet,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let (replace, named) = (&options.replace, &options.sources.paths);
    let destination = Destination::by(replace, named, options.output.as_deref(), settings)?;
    let request = on_farm::Request {
        order: Order::Each(&options.sources),
        outputs: destination.fit(outputs)?,
        jobs: &options.jobs,
        upload_to: destination.upload_to(settings),
        destination,
        require_worker: false,
        wait: true,
        told,
        renew: Renew::Ended,
    };
    request.run(settings, shutdown).await
}
