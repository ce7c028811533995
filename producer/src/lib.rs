//! The producer: finds media, makes jobs of it, hands them to the farm, and
//! tells what became of them. `encode` brings its own farm along.
//!
//! [`commands`] has a file per verb. Those that make jobs share the path
//! [`sources`] → [`common::submit::naming`] → [`upload`] → [`submit`] → [`attend`] → [`bring`]; those that
//! change what was decided share [`selection`] → [`tally`].

pub mod attend;
pub mod bring;
pub mod cli;
pub mod commands;
pub mod config_file;
pub mod display;
pub mod dry_run;
pub mod embedded;
pub mod exit;
pub mod farm;
pub mod filter;
pub mod follow;
pub mod home;
pub mod order;
pub mod orders;
pub mod outlook;
pub mod preflight;
pub mod present;
pub mod presets;
pub mod program;
pub mod recipe_options;
pub mod records;
pub mod selection;
pub mod settle;
pub mod sniff;
pub mod sources;
pub mod submit;
pub mod tally;
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
            common::program::telemetry::init(&settings.log_level, settings.log_format)
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
    let shutdown = common::program::shutdown::on_signal();
    // These clean up after themselves; the others just end.
    match command {
        Command::Encode(options) => {
            return commands::encode::run(options, settings, shutdown).await;
        }
        Command::Enqueue(options) => {
            return commands::enqueue::run(options, settings, shutdown).await;
        }
        Command::Watch(options) => {
            return commands::watch::run(*options, &settings, shutdown).await;
        }
        Command::Download(options) => {
            return commands::download::run(options, &settings, shutdown).await;
        }
        _ => {}
    }
    let asked = async {
        match command {
            Command::Jobs(options) => commands::jobs::run(options, &settings).await,
            Command::Job(options) => commands::job::run(options, &settings).await,
            Command::Workers(options) => commands::workers::run(options, &settings).await,
            Command::Plan(options) => commands::plan::run(*options, &settings).await,
            Command::Why(options) => commands::why::run(options, &settings).await,
            Command::Logs(options) => commands::logs::run(options, &settings).await,
            Command::Batches(options) => commands::batches::run(options, &settings).await,
            Command::Batch(options) => commands::batch::run(options, &settings).await,
            Command::Cancel(options) => commands::cancel::run(options, &settings).await,
            Command::Retry(options) => commands::retry::run(options, &settings).await,
            Command::Reprioritize(options) => commands::reprioritize::run(options, &settings).await,
            Command::Reassign(options) => commands::reassign::run(options, &settings).await,
            Command::Pause(options) => commands::pause::run(options, &settings).await,
            Command::Resume(options) => commands::resume::run(options, &settings).await,
            Command::Drain(options) => commands::drain::run(options, &settings).await,
            Command::Hours(options) => commands::hours::run(options, &settings).await,
            Command::Presets(options) => commands::presets::run(options, &settings).await,
            Command::Encode(_)
            | Command::Enqueue(_)
            | Command::Watch(_)
            | Command::Download(_)
            | Command::Completions(_)
            | Command::Guard(_) => Ok(Exit::Done),
        }
    };
    let result = tokio::select! {
        result = asked => result,
        () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
    };
    if let Some(told) = settings.unreadable() {
        eprintln!("{told}");
    }
    result
}
