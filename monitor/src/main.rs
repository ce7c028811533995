//! The monitor program: reads its configuration, binds, runs until told to stop.

// All that is printed goes through common::program::console, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use common::program::exit::Exit;
use common::program::manual;
use common::{say, show};
use monitor::Config;
use monitor::access::{Role, people};
use monitor::config::Task;

/// Bytes of the shortest password that is taken.
const SHORTEST: usize = 10;

#[tokio::main]
async fn main() -> ExitCode {
    let mut config = Config::parse();
    let traces = common::program::telemetry::init("monitor", &config.log_level, config.log_format);
    let traces = match traces {
        Ok(traces) => traces,
        Err(error) => return fail(Exit::Usage, &error),
    };
    match &config.task {
        None => {}
        Some(Task::Password { role, name }) => {
            return print_password((*role).into(), name.as_deref());
        }
        Some(Task::Token { name, role, access }) => {
            return make_token((*role).into(), name, access);
        }
        Some(Task::Manual { folder }) => {
            return match manual::write(Config::command(), folder) {
                Ok(()) => Exit::Done.into(),
                Err(error) => fail(
                    Exit::Failed,
                    &format!(
                        "cannot write the manual pages to {}: {error}",
                        folder.display()
                    ),
                ),
            };
        }
    }
    if let Err(error) = config.load() {
        return fail(Exit::Usage, &error.to_string());
    }
    let listener = match tokio::net::TcpListener::bind(config.listen()).await {
        Ok(listener) => listener,
        Err(error) => {
            let listen = config.listen();
            return fail(
                Exit::Usage,
                &format!(
                    "cannot listen on {listen}: {error}; choose another address with --listen"
                ),
            );
        }
    };
    let done = monitor::run(config, listener, common::program::shutdown::on_signal()).await;
    traces.end();
    match done {
        Ok(()) => Exit::Done.into(),
        Err(error) => fail(error.exit(), &error.to_string()),
    }
}

/// Reads a password and prints its line for the access file.
fn print_password(role: Role, name: Option<&str>) -> ExitCode {
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
    match people::password_line(role, name, password) {
        Ok(line) => {
            show!("{line}");
            Exit::Done.into()
        }
        Err(error) => fail(Exit::Usage, &error.to_string()),
    }
}

/// Makes a token, adds its line to the access file, and prints the token, which nobody can read from the file.
fn make_token(role: Role, name: &str, access: &Path) -> ExitCode {
    let (token, line) = match people::token_and_line(role, name) {
        Ok(made) => made,
        Err(error) => return fail(Exit::Usage, &error.to_string()),
    };
    if let Err(error) = people::append(access, &line) {
        let file = access.display();
        return fail(
            Exit::Failed,
            &format!("cannot add the token to {file}: {error}; choose another file with --access"),
        );
    }
    show!("{token}");
    say!(
        "{name} may come in with this token, as {role}. It is shown this once; it is taken back by removing its line from {}",
        access.display()
    );
    Exit::Done.into()
}

fn fail(exit: Exit, message: &str) -> ExitCode {
    say!("error: {message}");
    exit.into()
}
