//! `producer join`: makes this machine one of a farm.

use clap::Args;
use common::notify::secret::Secret;
use common::program::join::join;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The token that `producer setup` has printed; -: from standard input
    #[arg(value_name = "TOKEN")]
    token: Secret,
}

pub(super) fn run(options: &Options, settings: &Settings) -> Result<Exit, Error> {
    join(&options.token, settings.farm.as_deref()).map_err(Error::usage)?;
    Ok(Exit::Done)
}
