//! The process that confines itself and becomes the tool.

use std::io::{Error, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::Command;

use common::farm::confinement::Confinement;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities,
};

use super::files;
use super::network;
use super::order::Order;
use super::system_calls::Filters;

/// What is added to the niceness of a tool in the background: more than the system has is as much as it has.
const LOWEST: i32 = 19;

/// What a tool of root may do beyond other users: it reads and writes the files of others, as far as Landlock allows.
const CAPABILITIES: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::DAC_READ_SEARCH);

/// Becomes the tool. Returns only if it cannot.
pub(super) fn exec(order: Order) -> Error {
    match prepare(&order) {
        Ok(()) => Command::new(&order.tool).args(&order.arguments).exec(),
        Err(error) => error,
    }
}

fn prepare(order: &Order) -> Result<(), Error> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))?;
    // If the parent died before that call, its death sends no signal any more.
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    if order.parent.is_some() && parent != order.parent {
        return Err(Error::new(ErrorKind::BrokenPipe, "the supervisor is gone"));
    }
    if order.background {
        // A system that forbids it runs the tool as usual.
        let _ = rustix::process::nice(LOWEST);
    }
    order.resources.apply()?;
    let applied = confine(order)?;
    // What was standard input is the supervisor's.
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(nothing)?;
    if order.required && !applied.is_full() {
        let missing = applied.missing().join(" and ");
        return Err(Error::other(format!(
            "the {missing} of this tool cannot be confined, as --sandbox required asks"
        )));
    }
    Ok(())
}

/// Applies every part of the sandbox that this machine offers; returns which.
///
/// # Errors
/// Those of [`files::restrict`], and of a network of its own that was to be had.
fn confine(order: &Order) -> Result<Confinement, Error> {
    let offered = files::offered();
    if order.own_network
        && let Some(port) = order.connects.first()
    {
        network::enter(*port)?;
    }
    files::restrict(order)?;
    let filters = Filters::new(!order.connects.is_empty(), order.starts_processes);
    let system_calls = filters.is_ok_and(|filters| filters.apply().is_ok());
    drop_capabilities()?;
    Ok(Confinement {
        files: offered.files,
        network: (offered.network || order.own_network) && system_calls,
        own_network: order.own_network,
        system_calls,
    })
}

/// Gives up the rights of root that no tool needs, for good. Of other users, the tool has no such rights anyway.
fn drop_capabilities() -> Result<(), Error> {
    let every = (0..u64::BITS).map(|number| CapabilitySet::from_bits_retain(1 << number));
    for capability in every.filter(|capability| !CAPABILITIES.contains(*capability)) {
        // The numbers that this kernel does not know follow those that it knows.
        let Ok(has) = capability_is_in_bounding_set(capability) else {
            break;
        };
        // Root without the right to do so has few capabilities left, as in a container that drops them all.
        if has {
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
    let CapabilitySets {
        effective,
        permitted,
        ..
    } = capabilities(None)?;
    Ok(set_capabilities(
        None,
        CapabilitySets {
            effective: effective & CAPABILITIES,
            permitted: permitted & CAPABILITIES,
            inheritable: CapabilitySet::empty(),
        },
    )?)
}

/// Applies every part of the sandbox to this process; returns which it could.
///
/// # Errors
/// If Landlock offers rules and refuses them.
pub(super) fn offered() -> Result<Confinement, Error> {
    let own_network = network::is_offered();
    let applied = confine(&Order {
        tool: "/bin/true".into(),
        ..Order::default()
    })?;
    Ok(Confinement {
        own_network,
        network: (applied.network || own_network) && applied.system_calls,
        ..applied
    })
}
