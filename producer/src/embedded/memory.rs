//! The memory of an output folder after all jobs have ended: the runs that made its outputs, and the records of the master
//! files of ladders. The same command finds these jobs done, and new outputs get other names. The file has one line for
//! the folder, and one line for each run and each record.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use common::broker::Broker;
use common::job::ladder::Ladder;
use common::job::master::MasterRecord;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::wire;

use crate::cli::exit::Error;

/// How the names of such files end.
pub(super) const EXTENSION: &str = "done";

/// What is remembered of an output folder.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// The runs that made its outputs.
    pub runs: Vec<Run>,
    /// The records of master files that the farm has written there.
    pub masters: Vec<MasterRecord>,
}

/// What is to be remembered: the runs that made the files at their outputs, and the records of master files. `None` if a
/// job has not ended.
pub(crate) async fn worth(broker: &Broker) -> Result<Option<Memory>, Error> {
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
    runs.retain(is_there);
    let outputs = runs.iter().map(|run| run.job.output.clone());
    let jobs_by_output = broker.jobs_by_output(outputs.collect::<Vec<_>>()).await?;
    runs.retain(|run| {
        let last_job = jobs_by_output.get(&run.job.output);
        last_job.is_some_and(|last_job| last_job.job().id == run.job.id)
    });
    Ok(Some(Memory { runs, masters }))
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
    for line in runs.chain(memory.masters.iter().map(wire::encode)) {
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
    for line in text.lines().skip(1) {
        match wire::decode::<Run>(line.as_bytes()) {
            Ok(run) => memory.runs.push(run),
            Err(error) => match wire::decode::<MasterRecord>(line.as_bytes()) {
                Ok(master) => memory.masters.push(master),
                Err(_) => {
                    tracing::warn!(file = %file.display(), %error, "a remembered job cannot be read");
                }
            },
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
    use jiff::Timestamp;

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
        let memory = Memory {
            runs: vec![done],
            masters: vec![MasterRecord::announce((&ladder, &[]), &contents, None)],
        };
        write(&file, &odd, &memory).expect("written");
        assert_eq!(read(&file), memory);
        assert_eq!(output(&file), Some(odd.clone()));
        write(&file, &odd, &Memory::default()).expect("removed");
        assert!(!file.exists() && read(&file) == Memory::default());
    }
}
