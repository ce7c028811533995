//! `producer download`: downloads the results of a batch from the store to a local folder.

use std::path::PathBuf;

use clap::Args;
use common::broker::Broker;
use common::job::batch::Batch;
use common::job::id::BatchId;
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::names::location::Location;
use common::names::printable::printable;
use common::submit::result::SubmitResult;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{output, units};
use crate::download::downloads::Downloads;
use crate::download::event::DownloadResult;
use crate::download::target::DownloadTarget;
use crate::select::lookup::find_batch;
use crate::submit::entry::Entry;
use crate::submit::paths;
use crate::wait::ended::{WaitEnd, Waited, wait_until_ended};
use crate::wait::follow::Follower;
use crate::wait::masters;
use crate::wait::masters::MasterEnd;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Batch id, or its first characters
    #[arg(value_name = "BATCH")]
    pub batch: String,
    /// Local folder for the results; subfolders are kept
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Wait until all jobs have ended, and download their results as well
    #[arg(long)]
    pub wait: bool,
    /// Replace other files that have the same name as a result
    #[arg(long)]
    pub overwrite: bool,
    /// Print a summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// Downloads the missing results. Complete results stay as they are.
///
/// # Errors
/// See [`Exit`]; also if there is no such batch, or its results are in no bucket.
pub(super) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let dir = paths::resolved(&options.dir)
        .map_err(|error| Error::usage(format!("cannot use {}: {error}", options.dir.display())))?;
    let broker = settings.connect().await?;
    let id = find_batch(&broker, &options.batch).await?;
    let follower = match options.wait {
        true => Some(Follower::start(&broker).await?),
        false => None,
    };
    let is_of_batch = |record: &JobRecord| record.job().batch == id;
    let records = broker
        .pick_jobs(true, |record| is_of_batch(&record).then_some(record))
        .await?;
    let target = DownloadTarget::new(folder(&broker, &id, &records).await?, dir.clone());
    let mut entries: Vec<Entry> = records
        .into_iter()
        .map(|record| entry(record, &target))
        .collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let downloads = Downloads::start(&settings.stores(), target, options.overwrite)?;
    let waiting = wait_until_ended(
        &broker,
        follower,
        Some(downloads),
        &mut entries,
        shutdown,
        std::future::pending(),
    );
    let Waited { end, masters } = waiting.await?;
    let summary = DownloadSummary::of(id, dir, &entries, masters);
    if options.json {
        output::print_json(&summary)?;
    } else {
        output::print(&summary.sentence());
        for line in masters::lines(&summary.ladders) {
            output::print(&printable(&line));
        }
    }
    if end == WaitEnd::Interrupted {
        return Err(Error::interrupted(
            "interrupted; run the same command again for the rest",
        ));
    }
    Ok(if summary.is_whole() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The folder of a batch's outputs, in a bucket.
async fn folder(broker: &Broker, id: &BatchId, records: &[JobRecord]) -> Result<Location, Error> {
    let Some(first) = records.first() else {
        return Err(Error::usage(format!(
            "batch '{id}' has no jobs: `producer batches` lists all"
        )));
    };
    if records.iter().all(|record| !record.job().kind.writes()) {
        return Err(Error::usage(format!(
            "batch '{id}' holds checks, which write nothing: `producer jobs --batch {id}` tells what they found"
        )));
    }
    let known: Option<Batch> = broker
        .batches()
        .await?
        .into_iter()
        .find(|batch| batch.id == *id);
    let folder = known.and_then(|batch| batch.folder).unwrap_or_else(|| {
        let outputs = records.iter().map(|record| &record.job().output);
        outputs.fold(first.job().output.folder(), common_folder)
    });
    if folder.is_remote() {
        return Ok(folder);
    }
    Err(Error::usage(format!(
        "the results of this batch are in a folder that its workers share, not in a bucket: {folder}"
    )))
}

/// The deepest folder that holds both.
fn common_folder(mut folder: Location, output: &Location) -> Location {
    while !output.is_below(&folder) && folder.folder() != folder {
        folder = folder.folder();
    }
    folder
}

fn entry(record: JobRecord, target: &DownloadTarget) -> Entry {
    let job = record.job().clone();
    let name = target.name(&job.output);
    Entry {
        name: name.map_or_else(
            || job.output.to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        state: match record {
            JobRecord::Run(run) => SubmitResult::Run(run),
            JobRecord::Pending(_) | JobRecord::Parked(_) => SubmitResult::Pending,
        },
        job,
        is_gone: false,
        download: None,
    }
}

#[derive(Debug, Serialize)]
struct DownloadSummary {
    batch: BatchId,
    folder: PathBuf,
    /// Downloaded now.
    downloaded: usize,
    /// Complete before this command.
    there: usize,
    /// Results of jobs that have not ended.
    open: usize,
    /// Jobs without a result, because their originals are the better ones.
    kept: usize,
    /// Results of jobs that failed or were cancelled.
    failed: usize,
    /// Results of completed jobs that could not be downloaded.
    missing: usize,
    files: Vec<DownloadedFile>,
    /// The master files of ladders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ladders: Vec<MasterEnd>,
}

#[derive(Debug, Serialize)]
struct DownloadedFile {
    /// Its name below the folder.
    file: String,
    job: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl DownloadSummary {
    fn of(batch: BatchId, folder: PathBuf, entries: &[Entry], ladders: Vec<MasterEnd>) -> Self {
        let mut summary = Self {
            batch,
            folder,
            downloaded: 0,
            there: 0,
            open: 0,
            kept: 0,
            failed: 0,
            missing: 0,
            files: Vec::with_capacity(entries.len()),
            ladders,
        };
        for entry in entries {
            let state = match &entry.state {
                SubmitResult::Run(run) => Some(&run.state),
                _ => None,
            };
            let (count, word) = match (state, &entry.download) {
                (Some(RunState::Completed { .. }), Some(DownloadResult::New(_))) => {
                    (&mut summary.downloaded, "downloaded")
                }
                (Some(RunState::Completed { .. }), Some(DownloadResult::There(_))) => {
                    (&mut summary.there, "there")
                }
                (Some(RunState::Completed { .. }), _) => (&mut summary.missing, "missing"),
                (Some(RunState::Kept { .. }), _) => (&mut summary.kept, "kept"),
                (Some(state), _) if state.is_terminal() => (&mut summary.failed, state.as_str()),
                (Some(state), _) => (&mut summary.open, state.as_str()),
                (None, _) => (&mut summary.open, "pending"),
            };
            *count += 1;
            let failure = match state {
                Some(RunState::Failed { failure }) => Some(failure.message.clone()),
                _ => None,
            };
            let download = entry.download.as_ref();
            summary.files.push(DownloadedFile {
                file: entry.name.clone(),
                job: entry.job.id.to_string(),
                state: word,
                path: download.and_then(DownloadResult::path).cloned(),
                error: failure.or(download.and_then(DownloadResult::problem)),
            });
        }
        summary
    }

    /// Whether all results are there.
    fn is_whole(&self) -> bool {
        self.open + self.failed + self.missing == 0
            && self.ladders.iter().all(|ladder| ladder.is_there)
    }

    fn sentence(&self) -> String {
        let files = units::count(self.files.len(), "result");
        let parts: Vec<String> = [
            (self.downloaded, "downloaded"),
            (self.there, "there already"),
            (self.kept, "without a result, because the original was kept"),
            (self.open, "not finished yet"),
            (self.failed, "failed or cancelled"),
            (self.missing, "missing"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let folder = self.folder.display();
        printable(&format!("{files}: {}; {folder}", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_without_a_known_folder_lie_in_the_lowest_of_all() {
        let at = |key: &str| Location::s3("media", key).expect("a location");
        let outputs = ["out/a/x.mkv", "out/a/b/y.mkv", "out/c/z.mkv"].map(at);
        let folder = outputs.iter().fold(outputs[0].folder(), common_folder);
        assert_eq!(folder, at("out"));
        assert_eq!(common_folder(at("out"), &at("elsewhere/x.mkv")), at(""));
    }
}
