//! The producer: finds media, makes jobs of it, hands them to the farm, and
//! tells what became of them. `encode` brings its own farm along.
//!
//! [`commands`] has a file per verb. Those that make jobs share the path
//! [`sources`] → [`naming`] → [`upload`] → [`submit`] → [`attend`].

pub mod attend;
pub mod cli;
pub mod commands;
pub mod config_file;
pub mod display;
pub mod embedded;
pub mod exit;
pub mod farm;
pub mod follow;
pub mod naming;
pub mod order;
pub mod present;
pub mod program;
pub mod recipe_options;
pub mod sources;
pub mod submit;
pub mod upload;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Error, Exit};

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        // Guards are waited for by programs that have died: no runtime, no settings.
        Command::Guard(options) => return embedded::guard::run(options),
        Command::Completions(options) => Ok(commands::completions::run(&options)),
        command => farm::Settings::new(cli.common).and_then(|settings| {
            common::telemetry::init(&settings.log_level, settings.log_format)
                .map_err(Error::usage)?;
            let runtime = tokio::runtime::Runtime::new()
                .map_err(|error| Error::out_of_reach(format!("cannot start: {error}")))?;
            runtime.block_on(run(command, settings))
        }),
    };
    result
        .unwrap_or_else(|error| {
            eprintln!("error: {error}");
            error.exit()
        })
        .into()
}

async fn run(command: Command, settings: farm::Settings) -> Result<Exit, Error> {
    let shutdown = common::shutdown::on_signal();
    // These clean up after themselves; the others just end.
    match command {
        Command::Encode(options) => {
            return commands::encode::run(options, settings, shutdown).await;
        }
        Command::Enqueue(options) => {
            return commands::enqueue::run(options, settings, shutdown).await;
        }
        _ => {}
    }
    let listing = async {
        match command {
            Command::Jobs(options) => commands::jobs::run(options, &settings).await,
            Command::Job(options) => commands::job::run(options, &settings).await,
            Command::Workers(options) => commands::workers::run(options, &settings).await,
            Command::Plan(options) => commands::plan::run(*options, &settings).await,
            Command::Encode(_)
            | Command::Enqueue(_)
            | Command::Completions(_)
            | Command::Guard(_) => Ok(Exit::Done),
        }
    };
    tokio::select! {
        result = listing => result,
        () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
    }
}
