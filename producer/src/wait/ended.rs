//! Staying with jobs until all have ended, and their results are where they belong.

use std::collections::HashMap;

use common::job::id::JobId;
use common::job::run::{Run, RunState};
use tokio_util::sync::CancellationToken;

use crate::download::downloads;
use crate::download::downloads::Bringing;
use crate::download::event::{Brought, Event};
use crate::exit::{Error, Exit};
use crate::submit::entry::{Entry, Standing};
use crate::wait::follow::{Change, Follower};
use crate::wait::live::Display;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every job has ended.
    AllEnded,
    /// The user interrupted.
    Interrupted,
}

/// Follows the open ones of these entries to their ends, brings their standing
/// up to date, and shows what happens. Results are brought home where that is
/// wanted. Without a follower, open ones are left as they are. `supervise` runs beside
/// it and may stop it with an error.
///
/// # Errors
/// What `supervise` says.
pub(crate) async fn attend(
    mut follower: Option<Follower>,
    mut bringing: Option<Bringing>,
    entries: &mut [Entry],
    shutdown: &CancellationToken,
    supervise: impl Future<Output = Error>,
) -> Result<Ending, Error> {
    let mut display = Display::new(entries);
    let mut places: HashMap<JobId, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        places.insert(entry.job.id, index);
        match (&entry.standing, &mut follower) {
            (Standing::Run(run), _) if run.state.is_terminal() => bring_home(&mut bringing, run),
            (_, Some(follower)) if entry.is_open() => follower.follow(entry.job.id),
            _ => {}
        }
    }
    let is_done = |follower: &Option<Follower>, bringing: &Option<Bringing>| {
        follower.as_ref().is_none_or(Follower::is_done)
            && bringing.as_ref().is_none_or(Bringing::is_idle)
    };
    tokio::pin!(supervise);
    let ended = loop {
        if is_done(&follower, &bringing) {
            break Ok(Ending::AllEnded);
        }
        tokio::select! {
            change = next_change(&mut follower) => {
                display.change(&change);
                if let Change::Run(run) = change
                    && let Some(index) = places.get(&run.job.id)
                {
                    bring_home(&mut bringing, &run);
                    entries[*index].standing = Standing::Run(run);
                }
            }
            event = downloads::next(&mut bringing) => {
                display.brought(&event);
                if let Event::Ended(job, brought) = event
                    && let Some(index) = places.get(&job)
                {
                    entries[*index].brought = Some(brought);
                }
            }
            () = shutdown.cancelled() => break Ok(Ending::Interrupted),
            error = &mut supervise => break Err(error),
        }
    };
    if let Some(bringing) = bringing {
        bringing.stop().await;
    }
    display.finish();
    ended
}

async fn next_change(follower: &mut Option<Follower>) -> Change {
    match follower {
        Some(follower) => follower.next().await,
        None => std::future::pending().await,
    }
}

fn bring_home(bringing: &mut Option<Bringing>, run: &Run) {
    if let (Some(bringing), RunState::Completed { .. }) = (bringing, &run.state) {
        bringing.add(run);
    }
}

/// What entries that have ended mean for the exit code.
pub(crate) fn exit(entries: &[Entry]) -> Exit {
    let is_done = |entry: &Entry| {
        let is_completed = matches!(&entry.standing, Standing::Run(run)
            if matches!(run.state, RunState::Completed { .. }));
        let is_home = |brought: &Brought| brought.path().is_some();
        is_completed && entry.brought.as_ref().is_none_or(is_home)
    };
    if entries.iter().all(is_done) {
        Exit::Done
    } else {
        Exit::Failed
    }
}
