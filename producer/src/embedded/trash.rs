//! What `encode --replace` has moved on this machine: undoing it, and removing what was kept long enough. The state of the folder remembers the jobs, and this program
//! puts the files back itself: no worker is needed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::broker::Broker;
use common::job::Job;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::store::Stores;
use common::store::roots::Roots;
use common::store::trash::Emptied;
use jiff::Timestamp;

use super::farm::{PrivateFarm, Ran};
use super::state::{OUTPUT, State, states};
use super::{broker, memory, scratch, worker};
use crate::cli::exit::Error;
use crate::select::bulk;
use crate::select::bulk::{BulkResult, JobChange};

/// The fewest characters of an id.
const SHORTEST: usize = 4;

/// Puts back the sources of the jobs or batches that these ids begin.
///
/// # Errors
/// If no state knows them, or a state cannot be used.
pub(crate) async fn undo(
    ids: &[String],
    is_dry: bool,
    server: Option<&Path>,
    ack_wait: Duration,
) -> Result<BulkResult, Error> {
    if let Some(short) = ids.iter().find(|id| id.len() < SHORTEST) {
        return Err(Error::usage(format!(
            "'{short}' is not an id: give at least its first {SHORTEST} characters"
        )));
    }
    let server = broker::find(server).await?;
    for output in folders(ids)? {
        let state = State::open(&output)?;
        let farm = PrivateFarm {
            server: server.clone(),
            ack_wait,
            state: &state,
            worker: no_worker(&state),
        };
        let Ran { done, worth } = farm
            .run(async |_, broker| undo_in(broker, ids, is_dry).await)
            .await?;
        if let Some(memory) = worth.filter(|_| scratch::is_clear(&state))
            && let Err(error) = state.forget(&memory)
        {
            tracing::warn!(%error, "the state of this encode stays; the next command tidies it up");
        }
        if let Some(result) = done? {
            return Ok(result);
        }
    }
    Err(Error::usage(format!(
        "no `encode --replace` of this user knows {}, or all is undone; name the farm with --nats if its workers have replaced the files",
        ids.join(", ")
    )))
}

/// Removes the originals whose time is over from the trashes of these jobs.
pub(crate) async fn empty_old<'a>(jobs: impl Iterator<Item = &'a Job>) {
    let mut trashes: Vec<&Location> = Vec::new();
    for replacement in jobs.filter_map(|job| job.replacement.as_ref()) {
        if !trashes.contains(&&replacement.trash) {
            trashes.push(&replacement.trash);
        }
    }
    for trash in trashes {
        let Some(Ok(roots)) = trash.folder().path().map(|folder| Roots::new([folder])) else {
            continue;
        };
        let stores = Stores::new().within(roots, Vec::new());
        let now = Emptied::Until(Timestamp::now());
        if let Err(error) = stores.empty_trash(trash, now).await {
            tracing::warn!(%trash, %error, "the trash is not emptied");
        }
    }
}

/// The folders whose states may know the ids: those that remember them first, then those of interrupted commands.
fn folders(ids: &[String]) -> Result<Vec<PathBuf>, Error> {
    let entries = std::fs::read_dir(states()?).into_iter().flatten().flatten();
    let (mut known, mut open) = (Vec::new(), Vec::new());
    for path in entries.map(|entry| entry.path()) {
        if path.extension().is_some_and(|end| end == memory::EXTENSION) {
            let runs = memory::read(&path).runs;
            if runs.iter().any(|run| is_named(ids, run)) {
                known.extend(memory::output(&path));
            }
        } else if let Ok(text) = std::fs::read_to_string(path.join(OUTPUT)) {
            open.push(PathBuf::from(text.trim_end_matches('\n')));
        }
    }
    known.extend(open);
    known.retain(|folder| folder.is_dir());
    Ok(known)
}

fn is_named(ids: &[String], run: &Run) -> bool {
    let (job, batch) = (run.job.id.to_string(), run.job.batch.to_string());
    let begins = |id: &String| job.starts_with(id.as_str()) || batch.starts_with(id.as_str());
    run.has_replaced() && ids.iter().any(begins)
}

/// The jobs of one folder; `None` if none is named.
async fn undo_in(
    broker: &Broker,
    ids: &[String],
    is_dry: bool,
) -> Result<Option<BulkResult>, Error> {
    let mut runs = broker.runs().await?;
    runs.retain(|run| is_named(ids, run));
    if runs.is_empty() {
        return Ok(None);
    }
    let roots = Roots::new(roots(&runs)).map_err(Error::usage)?;
    let stores = Stores::new().within(roots, Vec::new());
    let records = runs.into_iter().map(|run| JobRecord::Run(Box::new(run)));
    let result = bulk::for_each_job(records.collect(), async |record| {
        let Some(run) = record.run() else {
            return Ok(JobChange::Already);
        };
        match back(&stores, run, is_dry).await {
            Ok(()) if is_dry => Ok(JobChange::Done),
            Ok(()) => Ok(broker.record_undone(&run.job.id).await?.into()),
            Err(why) => Ok(JobChange::Refused(why)),
        }
    });
    Ok(Some(result.await?))
}

async fn back(stores: &Stores, run: &Run, is_dry: bool) -> Result<(), String> {
    let (RunState::Completed { report }, Some(digest)) = (&run.state, &run.output_digest) else {
        return Err("the job does not tell the digest of its output".to_owned());
    };
    let undone = stores.undo(&run.job, (report, digest), is_dry).await;
    undone.map(drop).map_err(|why| why.to_string())
}

/// The folders of all files of these runs.
fn roots(runs: &[Run]) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = Vec::new();
    let needed = runs.iter().flat_map(|run| run.job.needed());
    for path in needed.filter_map(|at: Location| at.path()) {
        let folder = path.parent().map(Path::to_owned).unwrap_or(path);
        if folder.is_dir() && !roots.iter().any(|root| folder.starts_with(root)) {
            roots.push(folder);
        }
    }
    roots
}

/// The setup of a worker that is never started.
fn no_worker(state: &State) -> worker::Setup {
    worker::Setup {
        program: PathBuf::new(),
        ffmpeg: None,
        max_jobs: None,
        scratch: state.path("scratch"),
        roots: Vec::new(),
        encoders: None,
    }
}
