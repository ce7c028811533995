//! `producer join`: makes this machine one of a farm.

use clap::{Args, ValueEnum};
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
    /// The program that the token is for: one that a service or a container starts later reads the farm's file then
    #[arg(long = "for", value_name = "PROGRAM", value_enum, default_value_t = Reader::Producer)]
    reader: Reader,
}

/// A program that reads the farm's file.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reader {
    Producer,
    Worker,
    Monitor,
}

pub(super) fn run(options: &Options, settings: &Settings) -> Result<Exit, Error> {
    let machine = Machine::new(match options.reader {
        Reader::Producer => Program::Producer,
        Reader::Worker => Program::Worker,
        Reader::Monitor => Program::Monitor,
    });
    join(&options.token, settings.farm.as_deref(), &machine).map_err(Error::usage)?;
    Ok(Exit::Done)
}
