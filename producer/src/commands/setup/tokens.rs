//! The lines by which other machines join a farm.

use common::broker::Servers;
use common::broker::server::Role;
use common::names::nkey::UserSeed;
use common::names::token::Token;
use common::program::farm_file::FarmFile;
use common::program::join::JoinToken;
use common::say;
use serde::Serialize;

use super::place::FarmPlace;
use super::users::NewUser;
use super::{Add, broker, remove, users};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

/// A user that was added, with what its machine needs.
#[derive(Serialize)]
struct Added {
    user: Token,
    role: Role,
    /// The line to paste on its machine. It holds the user's key.
    line: String,
}

/// `producer setup add`.
pub(super) fn add(options: Add, place: &FarmPlace, settings: &Settings) -> Result<Exit, Error> {
    place.is_made_here()?;
    let Add {
        role,
        name,
        any,
        roots,
        json,
    } = options;
    if any && role != Role::Worker {
        return Err(Error::usage(
            "--any is for workers: users of other roles have no name to keep",
        ));
    }
    let file = settings.file();
    let user = NewUser {
        name: name.clone(),
        role,
        any,
    };
    if users::kept(place)?.contains_key(&name) {
        return Err(Error::usage(taken(file, &name)));
    }
    let seed = users::add(place, &user)?;
    users::write(place)?;
    broker::tell(place)?;
    let servers = file.broker.public.clone().or(file.broker.servers.clone());
    let file = &with_signers(file, place)?;
    let mut of_machine = of_machine(file, &user, seed, &servers.unwrap_or_default());
    if !roots.is_empty() {
        of_machine.worker.roots = roots;
    }
    let line = line(role, of_machine);
    if json {
        output::print_json(&Added {
            user: name,
            role,
            line,
        })?;
    } else {
        output::print(&line);
        say!(
            "Paste this line on the other machine. It holds the key of {name}; `producer setup remove {name}` takes it back."
        );
    }
    Ok(Exit::Done)
}

/// What to do about a name that another user has.
fn taken(file: &FarmFile, name: &Token) -> String {
    let taken = format!("there is a user {name} already");
    match remove::is_of_this_machine(file, name) {
        true => format!("{taken}, and this machine's own programs use it: choose another name"),
        false => {
            format!("{taken}: choose another name, or run `producer setup remove {name}` first")
        }
    }
}

/// Adds the users of a new farm that any machine may be, and prints their lines.
pub(super) fn print_first(
    place: &FarmPlace,
    file: &FarmFile,
    servers: &Servers,
) -> Result<(), Error> {
    let mut added = Vec::new();
    for (name, role) in [
        ("workers", Role::Worker),
        ("producers", Role::Producer),
        ("monitors", Role::Monitor),
    ] {
        let user = NewUser {
            name: Token::sanitised(name),
            role,
            any: role == Role::Worker,
        };
        let seed = users::add(place, &user)?;
        added.push((user, seed));
    }
    // Once all are there: the workers know the keys of the others.
    let file = &with_signers(file, place)?;
    users::write(place)?;
    broker::reload(place)?;
    let lines = added.into_iter().map(|(user, seed)| {
        let role = user.role;
        line(role, of_machine(file, &user, seed, servers))
    });
    let lines: Vec<String> = lines.collect();
    output::print(&format!(
        "\nOn each further machine, paste one line. To run jobs there:\n\n{}\n\nTo submit jobs from there:\n\n{}\n\nTo show the farm there:\n\n{}\n\n\
         The lines hold keys. `producer setup add worker NAME` prints a line for one machine alone, and `producer setup remove NAME` takes a key back.",
        lines[0], lines[1], lines[2]
    ));
    Ok(())
}

/// This machine's settings, with the keys of all users that may give orders by now. They are written if they have changed.
pub(super) fn with_signers(file: &FarmFile, place: &FarmPlace) -> Result<FarmFile, Error> {
    let signers = users::signers(place)?;
    let mut known = file.clone();
    if known.worker.signers != signers {
        known.worker.signers = signers;
        known.write(&place.file).map_err(Error::failed)?;
    }
    Ok(known)
}

/// What another machine needs of this one's settings.
fn of_machine(file: &FarmFile, user: &NewUser, seed: UserSeed, servers: &Servers) -> FarmFile {
    let mut own = FarmFile::default();
    own.broker.servers = Some(servers.clone());
    own.broker.ca.clone_from(&file.broker.ca);
    own.broker.replicas = file.broker.replicas;
    own.store.clone_from(&file.store);
    let named = (Some(user.name.clone()), Some(seed));
    match user.role {
        Role::Worker => {
            own.worker.roots.clone_from(&file.worker.roots);
            own.worker.buckets.clone_from(&file.worker.buckets);
            own.worker.signers.clone_from(&file.worker.signers);
            own.worker.name = (!user.any)
                .then(|| user.name.as_str().parse().ok())
                .flatten();
            (own.worker.user, own.worker.nkey) = named;
        }
        Role::Monitor => (own.monitor.user, own.monitor.nkey) = named,
        Role::Admin | Role::Producer | Role::Reader => {
            (own.broker.user, own.broker.nkey) = named;
        }
    }
    own
}

fn line(role: Role, file: FarmFile) -> String {
    let token = JoinToken::from(file).reveal();
    match role {
        Role::Worker => format!("worker --join {token}"),
        Role::Monitor => format!("monitor --join {token}"),
        Role::Admin | Role::Producer | Role::Reader => format!("producer join {token}"),
    }
}
