//! What `encode --replace` has moved on this machine: undoing it, and removing what was kept long enough. The state of the
//! folder remembers the jobs, and this program puts the files back itself: no worker is needed.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::broker::Broker;
use common::job::Job;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::program::farm_file::StoreSection;
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

/// What became of an undo.
pub(crate) struct Undoing {
    pub result: BulkResult,
    /// Why some of the ids are left.
    pub left: Option<Error>,
}

/// Puts back the sources of the jobs or batches that these ids begin.
///
/// # Errors
/// If no state knows any of them, or a state cannot be used.
pub(crate) async fn undo(
    ids: &[String],
    is_dry: bool,
    server: Option<&Path>,
    ack_wait: Duration,
) -> Result<Undoing, Error> {
    if let Some(short) = ids.iter().find(|id| id.len() < SHORTEST) {
        return Err(Error::usage(format!(
            "'{short}' is not an id: give at least its first {SHORTEST} characters"
        )));
    }
    let server = broker::find(server).await?;
    let mut result = BulkResult::default();
    let mut unknown: Vec<&String> = ids.iter().collect();
    let (mut left, mut perhaps) = (Vec::new(), Vec::new());
    for Folder { output, knows } in folders(ids)? {
        let at = output.display();
        let is_known = |id: &&String| knows.contains(*id);
        // The states that may know nothing of these ids come last.
        if unknown.is_empty() && knows.is_empty() {
            break;
        }
        if !output.is_dir() {
            if !knows.is_empty() {
                left.push(format!("the folder {at} of {} is not there: connect its disk or make the folder, and undo again", knows.join(", ")));
            }
            unknown.retain(|id| !is_known(id));
            continue;
        }
        let Some(state) = State::open_free(&output)? else {
            match knows.is_empty() {
                true => perhaps.push(at.to_string()),
                false => left.push(format!(
                    "{} lies in {at}, and another command is encoding into that folder: wait for its end, and undo again",
                    knows.join(", ")
                )),
            }
            unknown.retain(|id| !is_known(id));
            continue;
        };
        let has_store = state.has_store();
        let farm = PrivateFarm {
            server: server.clone(),
            ack_wait,
            state: &state,
            worker: no_worker(&state),
        };
        let ran = farm
            .run(async |_, broker| undo_in(&state, broker, ids, is_dry).await)
            .await;
        let Ran { done, worth } = match ran {
            Ok(ran) => ran,
            // Another state stops nothing.
            Err(error) if knows.is_empty() => {
                left.push(format!("the jobs in {at} cannot be looked at: {error}"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let closed = match worth.filter(|_| scratch::is_clear(&state)) {
            Some(memory) if !is_dry => state.forget(&memory),
            _ if is_dry && !has_store => state.remove_store(),
            _ => Ok(()),
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the state of this encode stays; the next command tidies it up");
        }
        let (found, here) = done?;
        unknown.retain(|id| !found.contains(*id));
        result.add(here);
    }
    let is_nothing = unknown.len() == ids.len();
    if !unknown.is_empty() {
        left.push(not_known(&unknown, &perhaps));
    }
    let left = left.join("; ");
    match left.is_empty() {
        true => Ok(Undoing { result, left: None }),
        false if is_nothing => Err(Error::usage(left)),
        false => Ok(Undoing {
            result,
            left: Some(Error::failed(left)),
        }),
    }
}

fn not_known(ids: &[&String], perhaps: &[String]) -> String {
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let ids = ids.join(", ");
    if perhaps.is_empty() {
        return format!(
            "no `encode --replace` of this user knows {ids}, or all is undone; name the farm with --nats if its workers have replaced the files"
        );
    }
    format!(
        "no `encode --replace` of this user that has ended knows {ids}, or all is undone; one into {} is running: wait for its end, and undo again",
        perhaps.join(", ")
    )
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

/// A folder whose state may know ids.
struct Folder {
    output: PathBuf,
    /// The ids that its memory knows.
    knows: Vec<String>,
}

/// The folders whose states may know the ids: those that remember them first, then those of other commands that have not
/// ended.
fn folders(ids: &[String]) -> Result<Vec<Folder>, Error> {
    let entries = std::fs::read_dir(states()?).into_iter().flatten().flatten();
    let (mut known, mut open) = (Vec::new(), Vec::new());
    for path in entries.map(|entry| entry.path()) {
        if path.extension().is_some_and(|end| end == memory::EXTENSION) {
            let runs = memory::read(&path).with(Vec::new());
            let knows = named(ids, &runs);
            if let Some(output) = memory::output(&path).filter(|_| !knows.is_empty()) {
                known.push(Folder { output, knows });
            }
        } else if let Ok(text) = std::fs::read_to_string(path.join(OUTPUT)) {
            open.push(PathBuf::from(text.trim_end_matches('\n')));
        }
    }
    open.retain(|output| known.iter().all(|known| known.output != *output));
    known.extend(open.into_iter().map(|output| Folder {
        output,
        knows: Vec::new(),
    }));
    Ok(known)
}

fn is_named(id: &str, run: &Run) -> bool {
    let (job, batch) = (run.job.id.to_string(), run.job.batch.to_string());
    run.has_replaced() && (job.starts_with(id) || batch.starts_with(id))
}

/// Those ids that begin the id of a run, or of its batch.
fn named(ids: &[String], runs: &[Run]) -> Vec<String> {
    let is_one = |id: &&String| runs.iter().any(|run| is_named(id, run));
    ids.iter().filter(is_one).cloned().collect()
}

/// Undoes the jobs of one folder that these ids name. Returns the ids that name any, and the result.
async fn undo_in(
    state: &State,
    broker: &Broker,
    ids: &[String],
    is_dry: bool,
) -> Result<(Vec<String>, BulkResult), Error> {
    let of_broker = broker.runs().await?;
    let in_broker: HashSet<_> = of_broker.iter().map(memory::key).collect();
    let mut runs = state.remembered().with(of_broker);
    runs.retain(|run| ids.iter().any(|id| is_named(id, run)));
    let found = named(ids, &runs);
    if runs.is_empty() {
        return Ok((found, BulkResult::default()));
    }
    let roots = Roots::new(roots(&runs)).map_err(Error::usage)?;
    let stores = Stores::new().within(roots, Vec::new());
    let records = runs.into_iter().map(|run| JobRecord::Run(Box::new(run)));
    let undone = RefCell::new(HashSet::new());
    let result = bulk::for_each_job(records.collect(), async |record| {
        let Some(run) = record.run() else {
            return Ok(JobChange::Already);
        };
        if let Err(why) = back(&stores, run, is_dry).await {
            return Ok(JobChange::Refused(why));
        }
        if is_dry {
            return Ok(JobChange::Done);
        }
        let key = memory::key(run);
        undone.borrow_mut().insert(key);
        match in_broker.contains(&key) {
            true => Ok(broker.record_undone(&run.job.id).await?.into()),
            false => Ok(JobChange::Done),
        }
    });
    let result = result.await;
    let undone = undone.into_inner();
    if !undone.is_empty()
        && let Err(error) = state.keep(&state.remembered().without(&undone))
    {
        tracing::warn!(%error, "what is undone is not forgotten");
    }
    Ok((found, result?))
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
        store: StoreSection::default(),
    }
}
