//! The users of the farm's broker: a file for each, so that two commands never write the same one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::broker::server::{Login, Role, User, authorization};
use common::names::nkey::{PublicKey, UserSeed};
use common::names::token::Token;
use common::program::farm_file::write_private;
use serde::{Deserialize, Serialize};

use super::place::FarmPlace;
use crate::cli::exit::{Error, Exit};
use crate::display::output;
use crate::display::table::NameTable;

/// What is kept of a user: nothing secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptUser {
    pub role: Role,
    /// The public half of its key.
    pub key: PublicKey,
    /// Whether a worker may be any worker.
    #[serde(default)]
    any: bool,
}

/// A user that is to be.
pub(super) struct NewUser {
    pub name: Token,
    pub role: Role,
    /// Whether a worker may be any worker.
    pub any: bool,
}

/// Adds a user, which the broker knows once its users are read again. Returns the user's key.
///
/// # Errors
/// There is a user of that name.
pub(super) fn add(place: &FarmPlace, user: &NewUser) -> Result<UserSeed, Error> {
    let NewUser { name, role, any } = user;
    let file = file(place, name);
    if file.exists() {
        return Err(Error::usage(format!("there is a user {name} already")));
    }
    let seed = UserSeed::new();
    let kept = KeptUser {
        role: *role,
        key: seed.public_key(),
        any: *any,
    };
    let text = toml::to_string(&kept).map_err(Error::failed)?;
    write_private(&file, &text).map_err(|error| not_written(&file, &error))?;
    Ok(seed)
}

/// Writes the users as the broker reads them.
pub(super) fn write(place: &FarmPlace) -> Result<(), Error> {
    let file = place.users_conf();
    write_private(&file, &text(place)?).map_err(|error| not_written(&file, &error))
}

/// Writes the users anew if the file says anything else than what they need by now. Returns whether it did.
pub(super) fn renew(place: &FarmPlace) -> Result<bool, Error> {
    let written = std::fs::read_to_string(place.users_conf());
    let is_old = written.ok() != Some(text(place)?);
    if is_old {
        write(place)?;
    }
    Ok(is_old)
}

/// The users as the broker reads them.
fn text(place: &FarmPlace) -> Result<String, Error> {
    let users: Vec<User> = kept(place)?
        .into_iter()
        .map(|(name, kept)| User {
            worker: (kept.role == Role::Worker && !kept.any).then(|| name.clone()),
            name,
            role: kept.role,
            login: Login::Nkey(kept.key.to_string()),
        })
        .collect();
    Ok(format!(
        "# Written by `producer setup` from the folder users.\n\n{}",
        authorization(&users)
    ))
}

/// The keys whose jobs are to be taken by workers that take signed jobs only: of all users that may give orders. Workers
/// are not among them.
pub(super) fn signers(place: &FarmPlace) -> Result<Vec<PublicKey>, Error> {
    let users = kept(place)?.into_values().filter(KeptUser::gives_orders);
    Ok(users.map(|user| user.key).collect())
}

impl KeptUser {
    /// Whether it may give orders, and so sign jobs.
    pub(super) fn gives_orders(&self) -> bool {
        match self.role {
            Role::Admin | Role::Producer | Role::Monitor => true,
            Role::Worker | Role::Reader => false,
        }
    }
}

/// The users of the farm.
pub(super) fn kept(place: &FarmPlace) -> Result<BTreeMap<Token, KeptUser>, Error> {
    let folder = place.users();
    let unreadable = |why: String| Error::failed(format!("cannot read the farm's users: {why}"));
    let mut users = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(error.to_string()))? {
        let path = entry.map_err(|error| unreadable(error.to_string()))?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .parse();
        let (Ok(name), Some("toml")) = (name, path.extension().and_then(|end| end.to_str())) else {
            continue;
        };
        let at = |error: &dyn std::fmt::Display| unreadable(format!("{}: {error}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| at(&error))?;
        users.insert(
            name,
            toml::from_str(&text).map_err(|error| at(&error.message()))?,
        );
    }
    Ok(users)
}

/// Prints the users.
pub(super) fn list(place: &FarmPlace, json: bool) -> Result<Exit, Error> {
    place.is_made_here()?;
    let users = kept(place)?;
    if json {
        output::print_json(&users)?;
        return Ok(Exit::Done);
    }
    let mut table = NameTable::new(&["Role", "May be", "Public key", "User"]);
    for (name, user) in &users {
        let worker = match (user.role, user.any) {
            (Role::Worker, true) => "any worker".to_owned(),
            (Role::Worker, false) => format!("worker {name}"),
            _ => String::new(),
        };
        table.row(
            vec![user.role.as_str().to_owned(), worker, user.key.to_string()],
            name.to_string(),
            None,
        );
    }
    output::print(&table.text());
    Ok(Exit::Done)
}

/// Forgets a user; the broker knows it until its users are written, and read again.
pub(super) fn forget(place: &FarmPlace, name: &Token) -> Result<(), Error> {
    let file = file(place, name);
    std::fs::remove_file(&file).map_err(|error| not_written(&file, &error))
}

fn file(place: &FarmPlace, name: &Token) -> PathBuf {
    place.users().join(format!("{name}.toml"))
}

fn not_written(file: &std::path::Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot write {}: {error}", file.display()))
}
