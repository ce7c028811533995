//! Staying with jobs until all have ended.

use std::collections::HashMap;

use common::id::JobId;
use tokio_util::sync::CancellationToken;

use crate::display::Display;
use crate::exit::{Error, Exit};
use crate::follow::{Change, Follower};
use crate::submit::{Entry, Standing};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every job has ended.
    AllEnded,
    /// The user interrupted.
    Interrupted,
}

/// Follows the open ones of these entries to their ends, brings their standing
/// up to date, and shows what happens. `supervise` runs beside it and may stop
/// it with an error.
///
/// # Errors
/// What `supervise` says.
pub async fn attend(
    mut follower: Follower,
    entries: &mut [Entry],
    shutdown: &CancellationToken,
    supervise: impl Future<Output = Error>,
) -> Result<Ending, Error> {
    let mut display = Display::new(entries);
    let mut places: HashMap<JobId, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if entry.is_open() {
            follower.follow(entry.job.id);
            places.insert(entry.job.id, index);
        }
    }
    tokio::pin!(supervise);
    while !follower.is_done() {
        tokio::select! {
            change = follower.next() => {
                display.change(&change);
                if let Change::Run(run) = change
                    && let Some(index) = places.get(&run.job.id)
                {
                    entries[*index].standing = Standing::Run(run);
                }
            }
            () = shutdown.cancelled() => {
                display.finish();
                return Ok(Ending::Interrupted);
            }
            error = &mut supervise => {
                display.finish();
                return Err(error);
            }
        }
    }
    display.finish();
    Ok(Ending::AllEnded)
}

/// What entries that have ended mean for the exit code.
pub fn exit(entries: &[Entry]) -> Exit {
    let is_done = |entry: &Entry| match &entry.standing {
        Standing::Run(run) => matches!(run.state, common::run::State::Completed { .. }),
        _ => false,
    };
    if entries.iter().all(is_done) {
        Exit::Done
    } else {
        Exit::Failed
    }
}
