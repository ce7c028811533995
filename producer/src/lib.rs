//! The producer: finds media, submits jobs to the farm, and reports on them. `encode` starts a private farm.
//!
//! [`commands`] has a file for each command. Those that make jobs go [`submit::sources`] → [`submit::submission`] →
//! [`submit::upload`] → [`submit::send`] → [`wait`] → [`download`]; those that change jobs go [`select::selection`] →
//! [`select::bulk`].

// All that is printed goes through common::program::console, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod commands;
mod display;
mod download;
mod embedded;
mod notify;
mod recipe;
mod select;
mod submit;
mod wait;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use common::say;

use crate::cli::args::CommonOptions;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::{Command, FarmCommand};

/// Submits media to an ffmpeg-easy encoding farm, or encodes it on this machine.
#[derive(Debug, Parser)]
#[command(name = "producer", version, after_help = cli::exit::HELP, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

pub fn main() -> ExitCode {
    let Cli { common, command } = cli::usage::parse();
    let command = match command.run_alone(Cli::command()) {
        Ok(code) => return code,
        Err(command) => command,
    };
    run(common, *command)
        .unwrap_or_else(|error| {
            say!("error: {error}");
            error.exit()
        })
        .into()
}

fn run(common: CommonOptions, command: FarmCommand) -> Result<Exit, Error> {
    let settings = Settings::new(common, command.farm_usage())?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::out_of_reach(format!("cannot start: {error}")))?;
    let _within = runtime.enter();
    let traces =
        common::program::telemetry::init("producer", &settings.log_level, settings.log_format)
            .map_err(Error::usage)?;
    let done = runtime.block_on(async {
        let shutdown = common::program::shutdown::on_signal();
        let result = command.run(&settings, &shutdown).await;
        if let Some(unreadable) = settings.unreadable() {
            say!("{unreadable}");
        }
        match result {
            Err(error) => Err(settings.explained(error).await),
            done => done,
        }
    });
    traces.end();
    done
}

#[cfg(test)]
mod tests {
    use common::testing::{documents, help};

    use super::*;

    fn parse(words: &[String]) -> Result<(), clap::Error> {
        Cli::try_parse_from(words).map(|_| ())
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_in_documents_are_commands_of_the_program() {
        let lines = documents::command_lines("producer");
        assert!(lines.len() > 30, "{lines:?}");
        let mut wrong = help::refused(&lines, parse);
        wrong.extend(help::unknown_in_prose(&Cli::command()));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_command_has_an_example_that_is_one() {
        let wrong = help::refused(&help::examples(&Cli::command()), parse);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(help::without_example(&Cli::command()), Vec::<String>::new());
    }
}
