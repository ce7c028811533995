//! Removing the states of output folders that are no longer used.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use uuid::Uuid;

use super::memory;

use super::state::{LOCK, LOOK, OUTPUT, name, remove, states};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a state without its output folder is kept: the disk may be unplugged.
const WITHOUT_OUTPUT: Duration = Duration::from_secs(30 * DAY.as_secs());
/// How long the state of an interrupted command is kept.
const TO_CARRY_ON: Duration = Duration::from_secs(180 * DAY.as_secs());

/// Removes states that were not used for long; never one in use, and nothing that is not a state.
pub(crate) fn sweep() {
    let Ok(states) = states() else { return };
    let entries = std::fs::read_dir(&states).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if let Err(error) = look_at(&path) {
            tracing::debug!(path = %path.display(), %error, "an old state stays");
        }
    }
}

fn look_at(path: &Path) -> io::Result<()> {
    if path.extension().is_some_and(|end| end == memory::EXTENSION) {
        let Some(output) = memory::output(path).filter(|output| is_of(path, output)) else {
            return Ok(());
        };
        let is_old = !output.exists() && age(path)? > WITHOUT_OUTPUT;
        if is_old && !memory::read(path).can_undo(Timestamp::now()) {
            std::fs::remove_file(path)?;
        }
        return Ok(());
    }
    if is_look(path) {
        if age(&path.join(LOCK))? > DAY {
            remove_unused(path)?;
        }
        return Ok(());
    }
    let marker = path.join(OUTPUT);
    let text = match std::fs::read_to_string(&marker) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let output = PathBuf::from(text.trim_end_matches('\n'));
    if !is_of(path, &output) {
        return Ok(());
    }
    let kept = match output.exists() {
        true => TO_CARRY_ON,
        false => WITHOUT_OUTPUT,
    };
    if age(&marker)? > kept {
        remove_unused(path)?;
    }
    Ok(())
}

/// Removes a state that is not in use. Holds its lock until it is removed: a command that starts meanwhile must not lose
/// its state.
fn remove_unused(folder: &Path) -> io::Result<()> {
    match lock(folder)? {
        Some(_held) => remove(folder),
        None => Ok(()),
    }
}

/// Whether it is the temporary state of a killed command.
fn is_look(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let id = name.and_then(|name| name.strip_prefix(LOOK));
    id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}

/// Whether a file or folder is named after the state of an output folder.
fn is_of(path: &Path, output: &Path) -> bool {
    path.file_stem()
        .is_some_and(|stem| stem == name(output).as_str())
}

/// How long ago it was written last.
fn age(path: &Path) -> io::Result<Duration> {
    let modified = std::fs::symlink_metadata(path)?.modified()?;
    Ok(SystemTime::now()
        .duration_since(modified)
        .unwrap_or_default())
}

/// The lock of a state that is not in use.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).open(folder.join(LOCK))?;
    Ok(file.try_lock().is_ok().then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state of an output folder, last used so long ago.
    fn state(states: &Path, output: &Path, ago: Duration) -> PathBuf {
        let folder = states.join(name(output));
        std::fs::create_dir_all(folder.join("jetstream")).expect("made");
        std::fs::write(folder.join(LOCK), "").expect("written");
        let marker = folder.join(OUTPUT);
        std::fs::write(&marker, format!("{}\n", output.display())).expect("written");
        let file = File::options().write(true).open(&marker).expect("there");
        file.set_modified(SystemTime::now() - ago).expect("set");
        folder
    }

    #[test]
    fn only_what_nobody_needs_is_removed() {
        let states = tempfile::tempdir().expect("a folder");
        let states = states.path();
        let there = tempfile::tempdir().expect("a folder");
        let gone = there.path().join("gone");
        let months = 2 * WITHOUT_OUTPUT;
        let look = |path: &Path| {
            look_at(path).expect("looked at");
            path.exists()
        };
        assert!(
            look(&state(states, there.path(), months)),
            "its outputs are there"
        );
        assert!(
            look(&state(states, &gone, DAY)),
            "its disk may be elsewhere"
        );
        let used = state(states, &gone, months);
        let held = File::options()
            .write(true)
            .open(used.join(LOCK))
            .expect("there");
        held.lock().expect("locked");
        assert!(look(&used), "it is in use");
        drop(held);
        assert!(!look(&used));
        assert!(!look(&state(states, there.path(), TO_CARRY_ON + DAY)));
        // What only looks like one.
        let foreign = state(states, &gone, months);
        let other = states.join("films");
        std::fs::rename(foreign, &other).expect("renamed");
        assert!(look(&other));
    }
}
