//! Waiting until the master files of ladders are there, and bringing them home.

use std::time::Duration;

use common::broker::{Broker, LadderStatus, MasterProgress};
use common::job::ladder::Ladder;
use common::names::location::Location;
use serde::{Serialize, Serializer};

use crate::cli::exit::Error;
use crate::download::downloads::Downloads;
use crate::submit::entry::Entry;

/// The wait between two looks at master files that are about to be written.
const LOOK: Duration = Duration::from_millis(200);

/// What became of the master files of a ladder.
#[derive(Debug, Serialize)]
pub(crate) struct MasterEnd {
    /// The master playlist.
    pub master: Location,
    /// How far the files are, in words.
    #[serde(serialize_with = "in_words")]
    pub progress: MasterProgress,
    /// Whether both files are there, and downloaded if they were to be.
    pub is_there: bool,
    /// Why they were not downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

fn in_words<S: Serializer>(progress: &MasterProgress, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(progress)
}

/// The ladders of these entries.
async fn look(broker: &Broker, entries: &[Entry]) -> Result<Vec<LadderStatus>, Error> {
    let taken = entries.iter().filter(|entry| entry.refusal().is_none());
    let ladders = taken.filter_map(|entry| entry.job.ladder.as_ref());
    Ok(broker.ladders(Ladder::each(ladders)).await?)
}

/// Whether a worker has to write master files although all jobs have ended.
pub(crate) async fn are_due(broker: &Broker, entries: &[Entry]) -> Result<bool, Error> {
    let ladders = look(broker, entries).await?;
    Ok(ladders
        .iter()
        .any(|status| status.progress() == MasterProgress::Due))
}

/// What became of the master files of these entries' ladders, once nothing changes any more; at once if this does not
/// wait. Files that are there are downloaded.
pub(crate) async fn end(
    broker: &Broker,
    entries: &[Entry],
    waits: bool,
    downloads: Option<&Downloads>,
) -> Result<Vec<MasterEnd>, Error> {
    let ladders = loop {
        let ladders = look(broker, entries).await?;
        if !waits || ladders.iter().all(|status| status.progress().is_final()) {
            break ladders;
        }
        tokio::time::sleep(LOOK).await;
    };
    let mut ends = Vec::with_capacity(ladders.len());
    for status in ladders {
        let progress = status.progress();
        let mut end = MasterEnd {
            master: status.ladder.master.clone(),
            is_there: progress == MasterProgress::There,
            progress,
            problem: None,
        };
        let member = status.members.iter().flatten().next();
        if let (true, Some(downloads), Some(record), Some(member)) =
            (end.is_there, downloads, &status.record, member)
        {
            let result = downloads.bring_masters(member.job().id, record).await;
            end.is_there = result.path().is_some();
            end.problem = result.problem();
        }
        ends.push(end);
    }
    Ok(ends)
}

/// A line for each ladder.
pub(crate) fn lines(ends: &[MasterEnd]) -> Vec<String> {
    ends.iter()
        .map(|end| match &end.problem {
            Some(problem) => format!("ladder {}: {problem}", end.master),
            None => format!("ladder {}: {}", end.master, end.progress),
        })
        .collect()
}
