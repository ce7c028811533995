//! The memory of an output folder after all jobs have ended: the runs that made its outputs. The same command finds these
//! jobs done, and new outputs get other names. The file has one line for the folder, and one line for each run.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use common::broker::Broker;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::wire;

use crate::cli::exit::Error;

/// How the names of such files end.
pub(super) const EXTENSION: &str = "done";

/// The runs that made the files at their outputs; `None` if a job has not ended.
pub(crate) async fn worth(broker: &Broker) -> Result<Option<Vec<Run>>, Error> {
    let mut runs = broker.runs().await?;
    if runs.iter().any(|run| !run.state.is_terminal()) {
        return Ok(None);
    }
    runs.retain(is_there);
    let outputs = runs.iter().map(|run| run.job.output.clone());
    let jobs_by_output = broker.jobs_by_output(outputs.collect::<Vec<_>>()).await?;
    runs.retain(|run| {
        let last_job = jobs_by_output.get(&run.job.output);
        last_job.is_some_and(|last_job| last_job.job().id == run.job.id)
    });
    Ok(Some(runs))
}

/// Whether the file at the output of a run has the size of the file that the run made.
fn is_there(run: &Run) -> bool {
    let RunState::Completed { report } = &run.state else {
        return false;
    };
    let there = run.job.output.path().and_then(|path| path.metadata().ok());
    there.is_some_and(|there| there.len() == report.output_size)
}

/// Writes runs to a memory file; removes the file if there are no runs.
///
/// # Errors
/// If the file cannot be written. Then it is as before.
pub(super) fn write(file: &Path, output: &Path, runs: &[Run]) -> io::Result<()> {
    if runs.is_empty() {
        return match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let output = Location::file(output).map_err(io::Error::other)?;
    let mut text = String::from(output).into_bytes();
    text.push(b'\n');
    for run in runs {
        text.extend(wire::encode(run));
        text.push(b'\n');
    }
    let new = file.with_extension("new");
    let mut written = File::create(&new)?;
    written.write_all(&text)?;
    written.sync_all()?;
    std::fs::rename(&new, file)
}

/// The runs in a memory file; lines that cannot be read are left out.
pub(super) fn read(file: &Path) -> Vec<Run> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut runs = Vec::new();
    for line in text.lines().skip(1) {
        match wire::decode::<Run>(line.as_bytes()) {
            Ok(run) => runs.push(run),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a remembered job cannot be read");
            }
        }
    }
    runs
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
        write(&file, &odd, std::slice::from_ref(&done)).expect("written");
        assert_eq!(read(&file), [done]);
        assert_eq!(output(&file), Some(odd.clone()));
        write(&file, &odd, &[]).expect("removed");
        assert!(!file.exists() && read(&file).is_empty());
    }
}
