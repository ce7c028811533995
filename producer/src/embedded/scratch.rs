//! Where the private worker makes its files: in the state, or beside the outputs
//! where those lie on another disk, to which whole files would have to be copied.
//!
//! Others may write in an output folder. So the folder there has a new name that
//! nobody can guess, carries our marker, and is this user's alone. Its name is
//! remembered in the state before it is made, and what a crash left of it is
//! removed by the next command.

use std::io;
use std::path::PathBuf;

use common::farm::worker_name::WorkerName;
use common::store::marked::{Base, Marked, Refused};
use common::store::scratch::{folder, is_own, kind, lock};
use uuid::Uuid;

use super::state::State;
use crate::exit::Error;

/// The file of the state that holds the names of folders beside the outputs.
const NAMES: &str = "scratch-beside";
/// What the marker of such a folder says.
const KIND: &str = "scratch folder of an encode command";
/// How the name of such a folder begins.
const BEGINNING: &str = ".ffmpeg-easy-scratch-";

/// The scratch folder for a command, made where it is to lie beside the outputs.
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

/// Removes what commands made for their worker `worker` and are done with. What
/// a worker still uses is left to a later call, and what is not ours for good.
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

/// Whether nothing is left of what commands made beside the outputs.
pub(crate) fn is_clear(state: &State) -> bool {
    remembered(state).is_empty()
}

/// Removes one folder beside the outputs.
fn clear_beside(state: &State, name: &str, worker: &WorkerName) -> io::Result<()> {
    let base = Base::shared(state.output()).map_err(io::Error::other)?;
    let found = match Marked::find(&base, name, KIND) {
        Ok(found) => found,
        Err(Refused::System { error, .. }) => return Err(error),
        // Somebody else's by now: nothing of ours to remember.
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
