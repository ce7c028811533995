//! What a machine takes from a token, and what it refuses: a line is text from somewhere else.

use std::path::{Component, Path, PathBuf};

use crate::farm::worker_name::WorkerName;
use crate::names::token::Token;
use crate::program::farm_file::{FarmFile, Program, WorkerSection};
use crate::program::join::JoinError;

/// Folders that hold the home folders of all users, or of the first one.
const HOMES: [&str; 3] = ["/home", "/root", "/Users"];

/// The machine that is to join, as its command line describes it.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// The program that reads the token.
    pub program: Program,
    /// The worker's name, where the command line gives one.
    pub name: Option<&'a WorkerName>,
    /// The worker's folders, where the command line names some.
    pub roots: &'a [PathBuf],
}

impl<'a> Machine<'a> {
    /// Nothing but the program is known.
    pub const fn new(program: Program) -> Self {
        Self {
            program,
            name: None,
            roots: &[],
        }
    }

    /// Whether the token is for this program, and for this worker.
    pub(super) fn takes(&self, token: &FarmFile) -> Result<(), JoinError> {
        let keys = [
            (Program::Producer, &token.broker.nkey),
            (Program::Worker, &token.worker.nkey),
            (Program::Monitor, &token.monitor.nkey),
        ];
        let held = || keys.iter().filter(|(_, key)| key.is_some());
        let is_mine = held().any(|(program, _)| *program == self.program);
        if let (Some((of, _)), false) = (held().next(), is_mine) {
            let (command, role) = takes_line_of(*of);
            return Err(JoinError::OtherProgram {
                command,
                role,
                wanted: takes_line_of(self.program).1,
            });
        }
        match (token.worker.only_name(), self.name) {
            (Some(key), Some(name)) if key != name => Err(JoinError::OtherWorker {
                key: key.clone(),
                name: name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the token takes nothing from the machine that is the machine's alone, and opens no more than media.
    pub(super) fn takes_over(
        &self,
        existing: &FarmFile,
        token: &FarmFile,
        path: &Path,
    ) -> Result<(), JoinError> {
        // Only the machine that has made a farm knows addresses for others.
        let is_made_here = existing.broker.public.is_some()
            || path
                .with_file_name("broker")
                .join("nats-server.conf")
                .is_file();
        let (own, new) = (&existing.broker, &token.broker);
        if let (true, Some(user), Some(_)) = (is_made_here, &own.user, &new.nkey)
            && own.nkey != new.nkey
        {
            return Err(JoinError::MadeHere {
                file: path.display().to_string(),
                user: user.clone(),
            });
        }
        let (own, new) = (&existing.worker, &token.worker);
        if let Some(scratch) = &new.scratch
            && own.scratch.as_ref() != Some(scratch)
        {
            return Err(JoinError::Scratch(scratch.clone()));
        }
        let is_taken = own.roots.is_empty();
        let is_named = |root: &&PathBuf| self.roots.contains(root);
        let mut roots = new.roots.iter().filter(|root| is_taken && !is_named(root));
        match roots.find(|root| is_wide(root)) {
            Some(root) => Err(JoinError::WideRoot(root.clone())),
            None => Ok(()),
        }
    }
}

impl WorkerSection {
    /// The only name that a worker with this key may have. The key of any worker goes with no name, or with another
    /// one than its user's.
    pub fn only_name(&self) -> Option<&WorkerName> {
        let name = self.name.as_ref()?;
        let of_name = Token::sanitised(name.as_str());
        (self.nkey.is_some() && self.user.as_ref() == Some(&of_name)).then_some(name)
    }
}

/// The command by which a program takes a line, and the role of the line's user.
fn takes_line_of(program: Program) -> (&'static str, &'static str) {
    match program {
        Program::Producer => ("producer join", "producer"),
        Program::Worker => ("worker --join", "worker"),
        Program::Monitor => ("monitor --join", "monitor"),
    }
}

/// Whether a folder is the whole disk, a home folder, or above one. What cannot be judged is.
fn is_wide(root: &Path) -> bool {
    let is_plain = root.has_root() && !root.components().any(|part| part == Component::ParentDir);
    let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    let home = home.map(|home| home.canonicalize().unwrap_or(home));
    !is_plain
        || whole.parent().is_none()
        || HOMES.iter().any(|homes| whole == Path::new(homes))
        || home.is_some_and(|home| home.starts_with(&whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::nkey::UserSeed;
    use crate::program::join::JoinToken;

    fn of(program: Program) -> FarmFile {
        let mut file = FarmFile::default();
        file.broker.servers = Some("tls://10.0.0.1:4222".into());
        let named = ("desk".parse().ok(), Some(UserSeed::new()));
        match program {
            Program::Producer => (file.broker.user, file.broker.nkey) = named,
            Program::Worker => (file.worker.user, file.worker.nkey) = named,
            Program::Monitor => (file.monitor.user, file.monitor.nkey) = named,
        }
        file
    }

    fn join(token: &FarmFile, path: &Path, machine: &Machine<'_>) -> Result<FarmFile, String> {
        let joined = JoinToken::from(token.clone()).join(path, machine);
        joined.map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_for_another_program_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        let all = [
            (Program::Producer, "`producer join`", "add producer NAME"),
            (Program::Worker, "`worker --join`", "add worker NAME"),
            (Program::Monitor, "`monitor --join`", "add monitor NAME"),
        ];
        for (of_line, takes, _) in all {
            for (reads, _, add) in all {
                let joined = join(&of(of_line), &path, &Machine::new(reads));
                if of_line == reads {
                    joined.expect("joined");
                    std::fs::remove_file(&path).expect("written");
                    continue;
                }
                let error = joined.expect_err("refused");
                assert!(error.contains(takes) && error.contains(add), "{error}");
                assert!(!path.exists());
            }
        }
    }

    #[test]
    fn the_line_of_one_worker_is_refused_by_another_and_that_of_any_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        let (desk, other) = (
            "desk".parse().expect("a name"),
            "other".parse().expect("a name"),
        );
        let called = |name| Machine {
            name: Some(name),
            ..Machine::new(Program::Worker)
        };
        let mut token = of(Program::Worker);
        join(&token, &path, &called(&other)).expect("any worker");
        token.worker.name = Some(desk);
        let error = join(&token, &path, &called(&other)).expect_err("refused");
        assert!(error.contains("the worker desk alone"), "{error}");
        let desk = token.worker.name.clone().expect("desk");
        join(&token, &path, &called(&desk)).expect("itself");
    }

    #[test]
    fn no_line_takes_the_place_of_the_user_that_has_made_the_farm() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        let mut own = of(Program::Producer);
        own.broker.user = "admin".parse().ok();
        own.broker.public = Some("tls://10.0.0.1:4222".into());
        own.write(&path).expect("written");
        let machine = Machine::new(Program::Producer);
        let error = join(&of(Program::Producer), &path, &machine).expect_err("refused");
        assert!(
            error.contains("admin") && error.contains("--farm FILE"),
            "{error}"
        );
        assert_eq!(FarmFile::read(&path).expect("there"), own);
        // A worker of its own takes nothing away.
        join(&of(Program::Worker), &path, &Machine::new(Program::Worker)).expect("joined");
    }

    #[test]
    fn a_line_opens_no_home_and_never_more_than_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("farm.toml");
        let home = directories::BaseDirs::new().expect("a home");
        let machine = Machine::new(Program::Worker);
        let mut token = of(Program::Worker);
        for wide in [Path::new("/"), home.home_dir(), Path::new("/srv/../home")] {
            token.worker.roots = vec![wide.to_owned()];
            let error = join(&token, &path, &machine).expect_err("refused");
            assert!(error.contains("more than media"), "{error}");
            assert!(!path.exists());
        }
        token.worker.roots = vec!["/media".into()];
        token.worker.scratch = Some("/srv".into());
        let error = join(&token, &path, &machine).expect_err("refused");
        assert!(error.contains("--scratch"), "{error}");
        token.worker.scratch = None;
        join(&token, &path, &machine).expect("joined");
        token.worker.roots = vec!["/".into()];
        token.worker.nkey = Some(UserSeed::new());
        let joined = join(&token, &path, &machine).expect("joined");
        assert_eq!(joined.worker.roots, [Path::new("/media")]);
        assert_eq!(joined.worker.nkey, token.worker.nkey);

        // What a person names on the machine itself is a person's word.
        std::fs::remove_file(&path).expect("written");
        let named = ["/".into()];
        let machine = Machine {
            roots: &named,
            ..machine
        };
        join(&token, &path, &machine).expect("joined");
    }
}
