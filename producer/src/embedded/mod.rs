//! The private farm of one command: a broker and one worker on this machine. Guards stop both when this program ends,
//! even if it is killed.
//!
//! More than 12 entries: one for each program of the farm, and for each thing that is kept of a folder.

pub(crate) mod broker;
pub(crate) mod executables;
pub(crate) mod farm;
pub(crate) mod guard;
mod guarded;
pub(crate) mod leftovers;
pub(crate) mod memory;
pub(crate) mod scratch;
pub(crate) mod state;
pub(crate) mod sweep;
pub(crate) mod trash;
pub(crate) mod worker;
