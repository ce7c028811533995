//! Removing a user of the farm, and what this machine's own programs would lose by that.

use common::broker::server::Role;
use common::names::nkey::PublicKey;
use common::names::token::Token;
use common::program::farm_file::FarmFile;

use super::place::FarmPlace;
use super::users::KeptUser;
use super::{broker, users};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

/// Removes a user, and has the broker cut it off.
pub(super) fn remove(
    name: &Token,
    is_forced: bool,
    place: &FarmPlace,
    settings: &Settings,
) -> Result<Exit, Error> {
    place.is_made_here()?;
    let kept = users::kept(place)?;
    let Some(user) = kept.get(name) else {
        return Err(Error::usage(format!(
            "there is no user {name}: `producer setup list` shows all"
        )));
    };
    let mut lost = lost_here(settings.file(), name);
    let admins = kept.values().filter(|user| user.role == Role::Admin);
    if user.role == Role::Admin && admins.count() == 1 {
        lost.push("nobody could make or mend the farm's streams: it is the last admin".to_owned());
    }
    if !lost.is_empty() && !is_forced {
        return Err(Error::usage(format!(
            "the user {name} stays: without it, {}. `producer setup remove {name} --force` removes it all the same; after that, \
             `producer setup` makes the users of this machine anew",
            lost.join("; and ")
        )));
    }
    users::forget(place, name)?;
    users::write(place)?;
    broker::tell(place)?;
    output::print(&format!("removed the user {name}: its machine is cut off"));
    if user.gives_orders() {
        let is_known_here = forget_signer(settings.file(), &user.key, place)?;
        output::print(&still_signs(user, is_known_here));
    }
    Ok(Exit::Done)
}

/// Whether this machine's own programs reach the farm as this user.
pub(super) fn is_of_this_machine(file: &FarmFile, name: &Token) -> bool {
    !lost_here(file, name).is_empty()
}

/// What this machine's programs could not do without a user.
fn lost_here(file: &FarmFile, name: &Token) -> Vec<String> {
    let (broker, worker, monitor) = (&file.broker, &file.worker, &file.monitor);
    let uses = [
        (
            &broker.user,
            "`producer` of this machine could not reach the farm",
        ),
        (&worker.user, "the worker of this machine would stop"),
        (&monitor.user, "the monitor of this machine would stop"),
    ];
    let of_user = uses.iter().filter(|(user, _)| user.as_ref() == Some(name));
    of_user.map(|(_, lost)| (*lost).to_owned()).collect()
}

/// Takes the key of a user out of this machine's farm file; whether it was there.
fn forget_signer(file: &FarmFile, key: &PublicKey, place: &FarmPlace) -> Result<bool, Error> {
    let mut file = file.clone();
    let before = file.worker.signers.len();
    file.worker.signers.retain(|signer| signer != key);
    let is_known = file.worker.signers.len() != before;
    if is_known {
        file.write(&place.file).map_err(Error::failed)?;
    }
    Ok(is_known)
}

/// Who goes on to take what a removed user has signed. The broker refuses its key; a signed job may come by another's.
fn still_signs(user: &KeptUser, is_known_here: bool) -> String {
    let here = match is_known_here {
        true => {
            " This machine's farm file has the key no more: restart the worker of this machine."
        }
        false => "",
    };
    format!(
        "Workers on other machines that run with `--require-signature farm` go on to accept jobs signed with its key\n{}\nuntil they join \
         anew with a line that is printed from now on, or until the key is taken out of `signers` in [worker] of their farm files.{here}",
        user.key
    )
}
