//! The scratch folder of the private worker: in the state folder, or beside the outputs if those lie on another disk,
//! to which whole files would have to be copied.
//!
//! Other users may write to an output folder. So the scratch folder there has a name that nobody can guess, carries a
//! marker, and belongs to this user alone. The state records the name before the folder is made, so that the next command
//! removes what a crash has left.

use std::io;
use std::path::PathBuf;

use common::farm::worker_name::WorkerName;
use common::store::marked::{Base, Marked, Refused};
use common::store::scratch::{folder, is_own, kind, lock};
use uuid::Uuid;

use super::state::State;
use crate::cli::exit::Error;

/// The file of the state with the names of folders beside the outputs.
const NAMES: &str = "scratch-beside";
/// The marker of such a folder.
const KIND: &str = "scratch folder of an encode command";
/// How the name of such a folder begins.
const BEGINNING: &str = ".ffmpeg-easy-scratch-";

/// The scratch folder for a command; made here if it lies beside the outputs.
pub(crate) fn make(state: &State) -> Result<PathBuf, Error> {
    let within = state.path("scratch");
    if state.is_on_disk_of_output() {
        return Ok(within);
    }
    let name = format!("{BEGINNING}{}", Uuid::new_v4());
    let mut names = remembered(state);
    names.push(name.clone());
    remember(state, &names)?;
    let made = Base::shared(state.output()).and_then(|base| Marked::make(&base, &name, KIND));
    match made {
        Ok(made) => Ok(made.path().to_owned()),
        Err(why) => {
            tracing::warn!(%why, "outputs are made in the state folder and then copied");
            Ok(within)
        }
    }
}

/// Removes the scratch folders of earlier commands. A folder in use is left to a later call; a folder of somebody else is
/// never removed.
pub(crate) fn clear(state: &State, worker: &WorkerName) -> Result<(), Error> {
    let cleared = Base::open(&state.path("scratch"))
        .map_err(io::Error::other)
        .and_then(|base| clear_worker(&base, worker));
    if let Err(error) = cleared {
        tracing::debug!(%error, "the state's scratch folder stays");
    }
    let names = remembered(state);
    if names.is_empty() {
        return Ok(());
    }
    let mut kept = names.clone();
    kept.retain(|name| {
        let cleared = clear_beside(state, name, worker);
        if let Err(why) = &cleared {
            tracing::debug!(name, %why, "a scratch folder beside the outputs stays");
        }
        cleared.is_err()
    });
    if kept == names {
        return Ok(());
    }
    remember(state, &kept)
}

/// Whether no scratch folder is left beside the outputs.
pub(crate) fn is_clear(state: &State) -> bool {
    remembered(state).is_empty()
}

/// Removes one folder beside the outputs.
fn clear_beside(state: &State, name: &str, worker: &WorkerName) -> io::Result<()> {
    let base = Base::shared(state.output()).map_err(io::Error::other)?;
    let found = match Marked::find(&base, name, KIND) {
        Ok(found) => found,
        Err(Refused::System { error, .. }) => return Err(error),
        // The folder is somebody else's by now: nothing to remember.
        Err(why) => {
            tracing::warn!(%why, "left as it is");
            return Ok(());
        }
    };
    match found {
        None => Ok(()),
        Some(found) => {
            clear_worker(&found.as_base()?, worker)?;
            found.sweep(|name| name == lock(worker))?;
            found.remove(&base)
        }
    }
}

/// Removes the scratch folder of a worker that is gone.
fn clear_worker(base: &Base, worker: &WorkerName) -> io::Result<()> {
    let lock = base.lock_file(&lock(worker)).map_err(io::Error::other)?;
    lock.try_lock()?;
    let left = Marked::find(base, &folder(worker), &kind(worker)).map_err(io::Error::other)?;
    match left {
        None => Ok(()),
        Some(left) => {
            left.sweep(is_own)?;
            left.remove(base)
        }
    }
}

fn remembered(state: &State) -> Vec<String> {
    let text = std::fs::read_to_string(state.path(NAMES)).unwrap_or_default();
    let is_one = |name: &&str| {
        name.strip_prefix(BEGINNING)
            .is_some_and(|id| Uuid::try_parse(id).is_ok())
    };
    text.lines().filter(is_one).map(str::to_owned).collect()
}

fn remember(state: &State, names: &[String]) -> Result<(), Error> {
    let path = state.path(NAMES);
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    std::fs::write(&path, text)
        .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))
}
