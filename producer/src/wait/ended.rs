//! Waiting until all jobs have ended and their results are downloaded.

use std::collections::HashMap;

use common::broker::Broker;
use common::job::id::JobId;
use common::job::run::{Run, RunState};
use common::submit::result::SubmitResult;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Error, Exit};
use crate::download::downloads;
use crate::download::downloads::Downloads;
use crate::download::event::{DownloadEvent, DownloadResult};
use crate::submit::entry::Entry;
use crate::wait::follow::{Follower, JobUpdate};
use crate::wait::live::LiveDisplay;
use crate::wait::masters;
use crate::wait::masters::MasterEnd;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    AllEnded,
    Interrupted,
}

/// How a wait ended, and what became of the master files of the entries' ladders.
pub(crate) struct Waited {
    pub end: WaitEnd,
    pub masters: Vec<MasterEnd>,
}

/// Follows the open entries to their ends, updates their states, downloads their results, and shows progress. Then waits
/// for the master files of their ladders. Without a follower, open entries stay as they are. `supervise` runs meanwhile
/// and may stop the wait with an error.
pub(crate) async fn wait_until_ended(
    broker: &Broker,
    mut follower: Option<Follower>,
    mut downloads: Option<Downloads>,
    entries: &mut [Entry],
    shutdown: &CancellationToken,
    supervise: impl Future<Output = Error>,
) -> Result<Waited, Error> {
    let waits = follower.is_some();
    let mut display = LiveDisplay::new(entries);
    let mut places: HashMap<JobId, usize> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        places.insert(entry.job.id, index);
        match (&entry.state, &mut follower) {
            (SubmitResult::Run(run), _) if run.state.is_terminal() => download(&mut downloads, run),
            (_, Some(follower)) if entry.is_open() => follower.follow(entry.job.id),
            _ => {}
        }
    }
    let is_done = |follower: &Option<Follower>, downloads: &Option<Downloads>| {
        follower.as_ref().is_none_or(Follower::is_done)
            && downloads.as_ref().is_none_or(Downloads::is_idle)
    };
    tokio::pin!(supervise);
    let ended = loop {
        if is_done(&follower, &downloads) {
            break Ok(WaitEnd::AllEnded);
        }
        tokio::select! {
            change = next_change(&mut follower) => {
                display.change(&change);
                if let JobUpdate::Run(run) = change
                    && let Some(index) = places.get(&run.job.id)
                {
                    download(&mut downloads, &run);
                    entries[*index].state = SubmitResult::Run(run);
                }
            }
            event = downloads::next(&mut downloads) => {
                display.download(&event);
                if let DownloadEvent::Ended(job, download) = event
                    && let Some(index) = places.get(&job)
                {
                    entries[*index].download = Some(download);
                }
            }
            () = shutdown.cancelled() => break Ok(WaitEnd::Interrupted),
            error = &mut supervise => break Err(error),
        }
    };
    display.finish();
    let waited = match ended {
        Ok(WaitEnd::AllEnded) => {
            let masters = masters::end(broker, entries, waits, downloads.as_ref());
            tokio::select! {
                masters = masters => masters.map(|masters| Waited { end: WaitEnd::AllEnded, masters }),
                () = shutdown.cancelled() => Ok(Waited::interrupted()),
                error = &mut supervise => Err(error),
            }
        }
        Ok(WaitEnd::Interrupted) => Ok(Waited::interrupted()),
        Err(error) => Err(error),
    };
    if let Some(downloads) = downloads {
        downloads.stop().await;
    }
    waited
}

impl Waited {
    fn interrupted() -> Self {
        Self {
            end: WaitEnd::Interrupted,
            masters: Vec::new(),
        }
    }
}

async fn next_change(follower: &mut Option<Follower>) -> JobUpdate {
    match follower {
        Some(follower) => follower.next().await,
        None => std::future::pending().await,
    }
}

fn download(downloads: &mut Option<Downloads>, run: &Run) {
    if let (Some(downloads), RunState::Completed { .. }) = (downloads, &run.state) {
        downloads.add(run);
    }
}

/// The exit code for these entries.
pub(crate) fn exit(entries: &[Entry], masters: &[MasterEnd]) -> Exit {
    let is_done = |entry: &Entry| {
        let is_completed = matches!(&entry.state, SubmitResult::Run(run)
            if matches!(run.state, RunState::Completed { .. } | RunState::Kept { .. }));
        let is_there = |download: &DownloadResult| download.path().is_some();
        is_completed && entry.download.as_ref().is_none_or(is_there)
    };
    if entries.iter().all(is_done) && masters.iter().all(|master| master.is_there) {
        Exit::Done
    } else {
        Exit::Failed
    }
}
