//! The monitor program: reads its configuration, binds, runs until told to stop.

use std::process::ExitCode;

use clap::Parser;
use common::program::exit::Exit;
use monitor::Config;
use monitor::access::{Role, passwords};
use monitor::config::Task;

/// Bytes of the shortest password that is taken.
const SHORTEST: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    if let Err(error) = common::program::telemetry::init(&config.log_level, config.log_format) {
        return fail(Exit::Usage, &error);
    }
    if let Some(Task::Password { role }) = config.task {
        return print_password(role.into());
    }
    let listener = match tokio::net::TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let listen = config.listen;
            return fail(
                Exit::Usage,
                &format!(
                    "cannot listen on {listen}: {error}; choose another address with --listen"
                ),
            );
        }
    };
    match monitor::run(config, listener, common::program::shutdown::on_signal()).await {
        Ok(()) => Exit::Done.into(),
        Err(error) => fail(error.exit(), &error.to_string()),
    }
}

/// Reads a password and prints its line for the password file.
fn print_password(role: Role) -> ExitCode {
    let mut password = String::new();
    if let Err(error) = std::io::stdin().read_line(&mut password) {
        return fail(Exit::Usage, &format!("cannot read the password: {error}"));
    }
    let password = password.trim_end_matches(['\r', '\n']);
    if password.len() < SHORTEST {
        return fail(
            Exit::Usage,
            &format!("the password is too short: at least {SHORTEST} characters on standard input"),
        );
    }
    match passwords::line(role, password) {
        Ok(line) => {
            println!("{line}");
            Exit::Done.into()
        }
        Err(error) => fail(Exit::Failed, &error.to_string()),
    }
}

fn fail(exit: Exit, message: &str) -> ExitCode {
    eprintln!("error: {message}");
    exit.into()
}
