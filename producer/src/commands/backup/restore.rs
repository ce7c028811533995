//! `producer restore`: a farm from its backup.

use std::path::PathBuf;

use clap::Args;
use common::broker::{Broker, StreamRestore};
use serde::Serialize;

use super::archive::{self, Entry};
use super::without_right;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The file that `producer backup` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Give up what the broker holds now
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was restored.
#[derive(Default, Serialize)]
struct Restored {
    streams: usize,
    messages: u64,
    /// Jobs that were enqueued while the backup was made, and sent to the queue again.
    sent_again: usize,
}

/// Streams of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// Those that must be there before a worker takes a job.
    First,
    /// The work queue.
    Last,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    // Before anything is removed: the whole file is sound.
    archive::read(&options.file, async |_| Ok(())).await?;
    let broker = settings.connect().await?;
    let filled = broker.filled_streams().await?;
    if !filled.is_empty() && !options.replace {
        let filled = filled.iter();
        let told: Vec<String> = filled
            .map(|(name, messages)| format!("{name}: {messages}"))
            .collect();
        return Err(Error::usage(format!(
            "the broker holds a farm already (messages in {}): restore on an empty broker, or give up what it holds with --replace",
            told.join(", ")
        )));
    }
    broker.remove_streams().await.map_err(without_right)?;
    let mut restored = Restored::default();
    for streams in [Streams::First, Streams::Last] {
        restore(&broker, &options, streams, &mut restored).await.map_err(|error| {
            error.with("the farm is not whole now: stop its programs, and restore again with --replace")
        })?;
    }
    restored.sent_again = broker.complete_restore().await?;
    if options.json {
        output::print_json(&restored)?;
    } else {
        output::print(&format!(
            "{} messages of {} streams are restored. Jobs that waited or ran when the backup was made wait now. Those that have ended \
             since then run once more; an output of theirs that is there already is never replaced.",
            restored.messages, restored.streams
        ));
    }
    Ok(Exit::Done)
}

async fn restore(
    broker: &Broker,
    options: &Options,
    streams: Streams,
    restored: &mut Restored,
) -> Result<(), Error> {
    let mut current: Option<StreamRestore> = None;
    archive::read(&options.file, async |entry| {
        match entry {
            Entry::Heading(heading) => {
                finish(current.take(), restored).await?;
                let is_last = Broker::is_restored_last(heading.name());
                if is_last == (streams == Streams::Last) {
                    current = Some(broker.restore_stream(&heading).await?);
                }
            }
            Entry::Piece(piece) => {
                if let Some(stream) = &current {
                    stream.piece(piece.into()).await?;
                }
            }
        }
        Ok(())
    })
    .await?;
    finish(current, restored).await
}

/// Ends a stream whose pieces have all been sent.
async fn finish(stream: Option<StreamRestore>, restored: &mut Restored) -> Result<(), Error> {
    if let Some(stream) = stream {
        restored.messages += stream.finish().await?;
        restored.streams += 1;
    }
    Ok(())
}
