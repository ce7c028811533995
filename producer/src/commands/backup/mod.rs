//! `producer backup` and `producer restore`: all that a farm keeps on its broker, as one file.

mod archive;
pub(super) mod restore;

use std::path::PathBuf;

use clap::Args;
use common::broker::{BrokerError, RequestFailure};
use humansize::{DECIMAL, format_size};
use serde::Serialize;

use self::archive::Archive;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The file to write; an existing one is replaced once the new one is whole
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was copied.
#[derive(Serialize)]
struct Copied {
    streams: usize,
    messages: u64,
    bytes: u64,
}

/// The farm goes on meanwhile.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let mut archive = Archive::create(&options.file)?;
    let mut copied = Copied {
        streams: 0,
        messages: 0,
        bytes: 0,
    };
    for stream in broker.streams_to_back_up() {
        let copy = broker.copy_stream(&stream).await;
        let mut copy = copy.map_err(without_right)?;
        copied.streams += 1;
        copied.messages += copy.heading.messages();
        archive.begin(&copy.heading)?;
        while let Some(piece) = copy.next().await? {
            archive.piece(&piece)?;
        }
    }
    copied.bytes = archive.finish()?;
    if options.json {
        output::print_json(&copied)?;
    } else {
        output::print(&format!(
            "{} holds {} messages of {} streams ({}). It holds secrets of hooks, and no media: those are in your store. \
             Keep the farm file and the folder broker/ beside it as well: they hold the users and the keys.",
            options.file.display(),
            copied.messages,
            copied.streams,
            format_size(copied.bytes, DECIMAL),
        ));
    }
    Ok(Exit::Done)
}

/// A broker does not answer users who lack a right.
fn without_right(error: BrokerError) -> Error {
    let is_silent = error.failure() == Some(RequestFailure::Timeout);
    let error = Error::from(error);
    match is_silent {
        true => error.with(
            "the broker does not answer users without this right: do it as the admin, on the machine that has made the farm",
        ),
        false => error,
    }
}
