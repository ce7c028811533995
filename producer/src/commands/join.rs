//! `producer join`: makes this machine one of a farm.

use clap::Args;
use common::notify::secret::Secret;
use common::program::farm_file::Program;
use common::program::join::{Machine, join};

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The token that `producer setup` has printed; -: from standard input
    #[arg(value_name = "TOKEN")]
    token: Secret,
}

pub(super) fn run(options: &Options, settings: &Settings) -> Result<Exit, Error> {
    let machine = Machine::new(Program::Producer);
    join(&options.token, settings.farm.as_deref(), &machine).map_err(Error::usage)?;
    Ok(Exit::Done)
}
