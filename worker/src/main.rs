//! The `worker` program: connects the parts, and holds no logic.

// All that is printed goes through common::program::console, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;
use common::program::console::say_lines;
use common::program::exit::Exit;
use common::program::{manual, shutdown, telemetry};
use common::say;
use worker::cli::commands;
use worker::cli::config::{Cli, Command};
use worker::cli::error::Error;
use worker::{app, sandbox};

fn main() -> ExitCode {
    // This comes before any thread exists, and before anything that takes time: each run of a tool passes here twice.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "sandbox") {
        return sandbox::run(arguments);
    }
    let mut cli = Cli::read();
    if let Err(error) = cli.load() {
        say!("error: {error}");
        return Exit::Usage.into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // The steps of an attempt are deep: without optimization, they come close to the usual 2 MiB.
        .thread_stack_size(8 << 20)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            say!("error: no runtime: {error}");
            return Exit::Failed.into();
        }
    };
    let done = runtime.block_on(run(cli));
    // A blocking read of standard input or of a disk may never end, and must not delay the exit.
    runtime.shutdown_background();
    match done {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            // Several wrong values are a line each.
            say_lines(format_args!("error: {error}"));
            error.exit().into()
        }
    }
}

async fn run(cli: Cli) -> Result<(), Error> {
    let log = cli.log();
    let traces = telemetry::init("worker", &log.log_level, log.log_format).map_err(Error::Usage)?;
    let done = match cli.command {
        Some(Command::Capabilities {
            json,
            scratch,
            detection,
            ..
        }) => commands::capabilities::run(&detection, scratch, json).await,
        Some(Command::CheckConfig { config }) => commands::check_config::run(&config).await,
        Some(Command::Manual { folder }) => manual::write(Cli::command(), &folder)
            .with_context(|| format!("cannot write the manual pages to {}", folder.display()))
            .map_err(Error::from),
        None => app::run(&cli.config, shutdown::on_signal()).await,
    };
    traces.end();
    done
}
