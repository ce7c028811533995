//! The monitor program: reads its configuration, binds, runs until told to stop.

use std::process::ExitCode;

use clap::Parser;
use monitor::access::{Role, keys};
use monitor::config::Task;
use monitor::{Config, Error};

/// A wrong command line, as clap's own.
const USAGE: u8 = 2;
/// The broker is out of reach.
const OUT_OF_REACH: u8 = 3;

/// Bytes of the shortest password that is taken.
const SHORTEST: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    if let Err(error) = common::program::telemetry::init(&config.log_level, config.log_format) {
        return fail(USAGE, &error);
    }
    if let Some(Task::Password { role }) = config.task {
        return print_password(role.into());
    }
    let listener = match tokio::net::TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let listen = config.listen;
            return fail(
                USAGE,
                &format!(
                    "cannot listen on {listen}: {error}; choose another address with --listen"
                ),
            );
        }
    };
    match monitor::run(config, listener, common::program::shutdown::on_signal()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Access(_)) => fail(USAGE, &error.to_string()),
        Err(error @ Error::Broker(_)) => fail(OUT_OF_REACH, &error.to_string()),
        Err(error) => fail(1, &error.to_string()),
    }
}

/// Reads a password and prints its line for the password file.
fn print_password(role: Role) -> ExitCode {
    let mut password = String::new();
    if let Err(error) = std::io::stdin().read_line(&mut password) {
        return fail(USAGE, &format!("cannot read the password: {error}"));
    }
    let password = password.trim_end_matches(['\r', '\n']);
    if password.len() < SHORTEST {
        return fail(
            USAGE,
            &format!("the password is too short: at least {SHORTEST} characters on standard input"),
        );
    }
    match keys::line(role, password) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, &error.to_string()),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("monitor: {message}");
    ExitCode::from(code)
}
