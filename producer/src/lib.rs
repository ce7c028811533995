//! The producer: finds media, makes jobs of it, hands them to the farm, and
//! tells what became of them. `encode` brings its own farm along.
//!
//! [`commands`] has a file per verb. Those that make jobs share the path
//! [`sources`] → [`common::submit::naming`] → [`upload`] → [`submit`] → [`attend`] → [`bring`]; those that
//! change what was decided share [`selection`] → [`tally`].

pub mod args;
pub mod commands;
pub mod display;
pub mod embedded;
pub mod executables;
pub mod exit;
pub mod recipe;
pub mod results;
pub mod select;
pub mod settings;
pub mod submit;
pub mod wait;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::{Error, Exit};

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        // Guards are waited for by programs that have died: no runtime, no settings.
        Command::Guard(options) => return embedded::guard::run(options),
        Command::Completions(options) => Ok(commands::completions::run(&options)),
        command => settings::Settings::new(cli.common).and_then(|settings| {
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

async fn run(command: Command, settings: settings::Settings) -> Result<Exit, Error> {
    let shutdown = common::program::shutdown::on_signal();
    // These clean up after themselves; the others just end.
    match command {
        Command::Encode(options) => {
            return commands::run::encode::run(options, settings, shutdown).await;
        }
        Command::Enqueue(options) => {
            return commands::run::enqueue::run(options, settings, shutdown).await;
        }
        Command::Watch(options) => {
            return commands::run::watch::run(*options, &settings, shutdown).await;
        }
        Command::Download(options) => {
            return commands::download::run(options, &settings, shutdown).await;
        }
        _ => {}
    }
    let asked = async {
        match command {
            Command::Jobs(options) => commands::look::jobs::run(options, &settings).await,
            Command::Job(options) => commands::look::job::run(options, &settings).await,
            Command::Workers(options) => commands::look::workers::run(options, &settings).await,
            Command::Plan(options) => commands::run::plan::run(*options, &settings).await,
            Command::Why(options) => commands::look::why::run(options, &settings).await,
            Command::Logs(options) => commands::look::logs::run(options, &settings).await,
            Command::Batches(options) => commands::look::batches::run(options, &settings).await,
            Command::Batch(options) => commands::look::batch::run(options, &settings).await,
            Command::Cancel(options) => commands::change::cancel::run(options, &settings).await,
            Command::Retry(options) => commands::change::retry::run(options, &settings).await,
            Command::Reprioritize(options) => {
                commands::change::reprioritize::run(options, &settings).await
            }
            Command::Reassign(options) => commands::change::reassign::run(options, &settings).await,
            Command::Pause(options) => commands::orders::pause::run(options, &settings).await,
            Command::Resume(options) => commands::orders::resume::run(options, &settings).await,
            Command::Drain(options) => commands::orders::drain::run(options, &settings).await,
            Command::Hours(options) => commands::orders::hours::run(options, &settings).await,
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
