//! The monitor program: reads its configuration, binds, runs until told to stop.

use std::process::ExitCode;

use clap::Parser;
use monitor::{Config, Error};

/// A wrong command line, as clap's own.
const USAGE: u8 = 2;
/// The broker is out of reach.
const OUT_OF_REACH: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    if let Err(error) = common::telemetry::init(&config.log_level, config.log_format) {
        return fail(USAGE, &error);
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
    match monitor::run(config, listener, common::shutdown::on_signal()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ Error::Broker(_)) => fail(OUT_OF_REACH, &error.to_string()),
        Err(error) => fail(1, &error.to_string()),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("monitor: {message}");
    ExitCode::from(code)
}
