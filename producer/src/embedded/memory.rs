//! The memory of an output folder after all jobs have ended: the runs that made its outputs, and the records of the master
//! files of ladders. The same command finds these jobs done, and new outputs get other names. Beside them are the runs that
//! only undo needs: what they made is gone or was changed, but their originals can come back. The file has one line for the
//! folder, and one line for each run and each record.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use common::broker::Broker;
use common::job::id::{BatchId, JobId};
use common::job::ladder::Ladder;
use common::job::master::MasterRecord;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::wire;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cli::exit::Error;

/// How the names of such files end.
pub(super) const EXTENSION: &str = "done";

/// What is remembered of an output folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// The runs that made its outputs.
    pub runs: Vec<Run>,
    /// The runs that have replaced their sources and whose outputs are gone, changed, or replaced in turn. Only undo needs
    /// them, so that no broker is told of them.
    pub replaced: Vec<Run>,
    /// The records of master files that the farm has written there.
    pub masters: Vec<MasterRecord>,
}

/// The line of a run that only undo needs.
#[derive(Serialize, Deserialize)]
struct ReplacedLine {
    replaced: Run,
}

impl wire::Message for ReplacedLine {
    fn version(&self) -> u32 {
        wire::Message::version(&self.replaced)
    }
}

/// Tells runs apart. A job keeps its id in another batch, and replaces its source again there.
pub(super) fn key(run: &Run) -> (JobId, BatchId) {
    (run.job.id, run.job.batch)
}

/// What is to be remembered, after what was remembered `before`: the runs that made the files at their outputs, those that
/// only undo needs, and the records of master files. `None` if a job has not ended.
pub(crate) async fn worth(broker: &Broker, before: Memory) -> Result<Option<Memory>, Error> {
    let mut runs = broker.runs().await?;
    if runs.iter().any(|run| !run.state.is_terminal()) {
        return Ok(None);
    }
    let ladders = runs.iter().filter_map(|run| run.job.ladder.as_ref());
    let ladders = broker.ladders(Ladder::each(ladders));
    let masters = ladders
        .await?
        .into_iter()
        .filter_map(|status| status.record);
    let masters = masters.collect();
    let all = before.with(runs.clone());
    runs.retain(is_there);
    let outputs = runs.iter().map(|run| run.job.output.clone());
    let jobs_by_output = broker.jobs_by_output(outputs.collect::<Vec<_>>()).await?;
    runs.retain(|run| {
        let last_job = jobs_by_output.get(&run.job.output);
        last_job.is_some_and(|last_job| last_job.job().id == run.job.id)
    });
    Ok(Some(Memory {
        replaced: only_for_undo(all, &runs, Timestamp::now()),
        runs,
        masters,
    }))
}

impl Memory {
    /// All runs that are remembered or that the broker has, once each. The broker knows better what became of a run.
    pub(super) fn with(self, of_broker: Vec<Run>) -> Vec<Run> {
        let mut known = HashSet::new();
        let remembered = self.runs.into_iter().chain(self.replaced);
        let all = of_broker.into_iter().chain(remembered);
        all.filter(|run| known.insert(key(run))).collect()
    }

    /// This memory, and what the broker of an interrupted command knows that undo needs. A later command may forget those
    /// jobs because it makes the same outputs by another recipe.
    pub(super) fn noting(mut self, of_broker: Vec<Run>) -> Self {
        let all = self.clone().with(of_broker);
        self.replaced = only_for_undo(all, &self.runs, Timestamp::now());
        self
    }

    /// Forgets runs that were undone.
    pub(super) fn without(mut self, undone: &HashSet<(JobId, BatchId)>) -> Self {
        for runs in [&mut self.runs, &mut self.replaced] {
            runs.retain(|run| !undone.contains(&key(run)));
        }
        self
    }

    /// Whether undo may still be asked for a run.
    pub(super) fn can_undo(&self, now: Timestamp) -> bool {
        let mut runs = self.runs.iter().chain(&self.replaced);
        runs.any(|run| may_come_back(run, now))
    }
}

/// Those runs whose originals may come back, but for those that are remembered for their outputs.
fn only_for_undo(mut all: Vec<Run>, for_outputs: &[Run], now: Timestamp) -> Vec<Run> {
    let known: HashSet<_> = for_outputs.iter().map(key).collect();
    all.retain(|run| !known.contains(&key(run)) && may_come_back(run, now));
    all
}

/// Whether the time of a run's original in the trash is not over, or the trash still holds it. An original that is gone
/// before its time counts as well: undo says what became of it, and its disk may only be elsewhere.
fn may_come_back(run: &Run, now: Timestamp) -> bool {
    let RunState::Completed { report } = &run.state else {
        return false;
    };
    let (Some(replaced), Some(entry)) = (&report.replaced, run.job.trash_entry()) else {
        return false;
    };
    let is_held = |at: &Location| {
        at.path()
            .is_some_and(|path| path.symlink_metadata().is_ok())
    };
    replaced.until > now || is_held(&entry.original) || is_held(&entry.record)
}

/// Whether the file at the output of a run has the size of the file that the run made. The result of a kept job is its
/// input.
fn is_there(run: &Run) -> bool {
    let (place, size) = match &run.state {
        RunState::Completed { report } => (&run.job.output, report.output_size),
        RunState::Kept { .. } => (&run.job.input.location, run.job.input.size),
        _ => return false,
    };
    let there = place.path().and_then(|path| path.metadata().ok());
    there.is_some_and(|there| there.len() == size)
}

/// Writes a memory file; removes it if there is nothing to remember.
///
/// # Errors
/// If the file cannot be written. Then it is as before.
pub(super) fn write(file: &Path, output: &Path, memory: &Memory) -> io::Result<()> {
    if *memory == Memory::default() {
        return match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let output = Location::file(output).map_err(io::Error::other)?;
    let mut text = String::from(output).into_bytes();
    text.push(b'\n');
    let runs = memory.runs.iter().map(wire::encode);
    let replaced = memory.replaced.iter().map(|run| {
        wire::encode(&ReplacedLine {
            replaced: run.clone(),
        })
    });
    let masters = memory.masters.iter().map(wire::encode);
    for line in runs.chain(replaced).chain(masters) {
        text.extend(line);
        text.push(b'\n');
    }
    let new = file.with_extension("new");
    let mut written = File::create(&new)?;
    written.write_all(&text)?;
    written.sync_all()?;
    std::fs::rename(&new, file)
}

/// The content of a memory file; lines that cannot be read are left out.
pub(super) fn read(file: &Path) -> Memory {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut memory = Memory::default();
    for line in text.lines().skip(1).map(str::as_bytes) {
        let error = match wire::decode::<Run>(line) {
            Ok(run) => {
                memory.runs.push(run);
                continue;
            }
            Err(error) => error,
        };
        if let Ok(ReplacedLine { replaced }) = wire::decode(line) {
            memory.replaced.push(replaced);
        } else if let Ok(master) = wire::decode(line) {
            memory.masters.push(master);
        } else {
            tracing::warn!(file = %file.display(), %error, "a remembered job cannot be read");
        }
    }
    memory
}

/// The output folder of a memory file.
pub(super) fn output(file: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(file).ok()?;
    let location: Location = text.lines().next()?.parse().ok()?;
    location.path()
}

#[cfg(test)]
mod tests {
    use common::farm::queue::Lane;
    use common::job::Job;
    use common::job::master::MasterContents;
    use common::recipe::Choice;
    use common::testing;

    use super::*;

    #[test]
    fn what_is_remembered_is_read_again_and_nothing_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("state.done");
        let encoder = "libx265".parse().expect("an encoder");
        let job: Job = testing::job(Choice::Encoder(encoder), 10);
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let worker = "w1".parse().expect("a name");
        let now = Timestamp::UNIX_EPOCH;
        let running = Run::unclaimed(job, &lane, now).take_over(&lane, 1, worker, now);
        let done = running.complete(testing::report("w1", "libx265", 10, 1.0), now);
        let odd = folder.path().join("odd\nname");
        let place = |name| Location::s3("media", name).expect("a location");
        let ladder = Ladder {
            master: place("film.m3u8"),
            members: vec![place("film-720p.mp4")],
        };
        let contents = MasterContents {
            playlist: "#EXTM3U".to_owned(),
            manifest: "<MPD/>".to_owned(),
        };
        let mut other = done.clone();
        other.job.batch = BatchId::new();
        let memory = Memory {
            runs: vec![done],
            replaced: vec![other],
            masters: vec![MasterRecord::announce((&ladder, &[]), &contents, None)],
        };
        write(&file, &odd, &memory).expect("written");
        assert_eq!(read(&file), memory);
        assert_eq!(output(&file), Some(odd.clone()));
        write(&file, &odd, &Memory::default()).expect("removed");
        assert!(!file.exists() && read(&file) == Memory::default());
    }
}
