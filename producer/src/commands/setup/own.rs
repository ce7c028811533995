//! The users of this machine's own programs, on the machine that has made the farm.

use common::broker::server::Role;
use common::names::nkey::UserSeed;
use common::names::token::Token;
use common::program::farm_file::FarmFile;

use super::place::FarmPlace;
use super::users::NewUser;
use super::{tokens, users};
use crate::cli::exit::Error;
use crate::display::output;

/// Makes the users anew that this machine's farm file names and the farm has no more, with new keys, and says so.
/// Returns what the farm file says then. The broker's users are still to be written.
///
/// # Errors
/// A file cannot be read or written.
pub(super) fn missing_made(place: &FarmPlace) -> Result<FarmFile, Error> {
    let mut file = FarmFile::read(&place.file).map_err(Error::failed)?;
    let kept = users::kept(place)?;
    let is_only = file.worker.only_name().is_some();
    let (broker, worker, monitor) = (&mut file.broker, &mut file.worker, &mut file.monitor);
    let own: [(Role, &mut Option<Token>, &mut Option<UserSeed>); 3] = [
        (Role::Admin, &mut broker.user, &mut broker.nkey),
        (Role::Worker, &mut worker.user, &mut worker.nkey),
        (Role::Monitor, &mut monitor.user, &mut monitor.nkey),
    ];
    let mut made = Vec::new();
    for (role, user, key) in own {
        let (Some(name), Some(_)) = (user.as_ref(), key.as_ref()) else {
            continue;
        };
        if kept.contains_key(name) {
            continue;
        }
        let user = NewUser {
            name: name.clone(),
            role,
            any: role == Role::Worker && !is_only,
        };
        *key = Some(users::add(place, &user)?);
        made.push(format!("{} ({})", user.name, role.as_str()));
    }
    if made.is_empty() {
        return Ok(file);
    }
    file.write(&place.file).map_err(Error::failed)?;
    output::print(&format!(
        "Made anew, with new keys and rights, because the farm had these users of this machine no more: {}. Restart the worker and the \
         monitor of this machine if they run.",
        made.join(", ")
    ));
    tokens::with_signers(&file, place)
}
