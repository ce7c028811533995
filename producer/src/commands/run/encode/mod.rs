//! `producer encode`: encodes files into a folder. Without `--nats` it brings its own farm: a private broker and one
//! worker, which end with this command.

mod here;
mod options;

use common::names::location::Location;
use common::recipe::{Choice, Recipe};
use common::submit::terms::Renew;
use tokio_util::sync::CancellationToken;

pub(crate) use self::options::Options;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::on_farm;
use crate::recipe::presets::PresetSource;
use crate::submit::destination::Destination;

/// The default encoder.
const ENCODER: &str = "libx265";

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let default = ENCODER.parse().map(Choice::Encoder).map_err(Error::usage)?;
    let source = match settings.nats {
        Some(_) => PresetSource::FarmByName(settings),
        None => PresetSource::BuiltIn,
    };
    let recipe = options.recipe.recipe(source, Some(default)).await?;
    match settings.nats {
        Some(_) => on_the_farm(&options, recipe, settings, shutdown).await,
        None => {
            let encode = here::Encode::prepare(&options, recipe, settings).await?;
            encode.run(shutdown).await
        }
    }
}

async fn on_the_farm(
    options: &Options,
    recipe: Recipe,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let request = on_farm::Request {
        sources: &options.sources,
        destination: Destination::new(Some(&options.output), settings)?,
        recipe,
        jobs: &options.jobs,
        upload_to: settings.store.clone().filter(Location::is_remote),
        require_worker: false,
        wait: true,
        renew: Renew::Ended,
    };
    request.run(settings, shutdown).await
}
