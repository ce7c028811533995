//! A farm of one machine, for as long as one command runs: a private broker
//! and one worker, both behind guards that end them when this program ends,
//! however it ends.

pub(crate) mod broker;
pub(crate) mod farm;
pub(crate) mod guard;
mod guarded;
pub(crate) mod leftovers;
pub(crate) mod memory;
pub(crate) mod scratch;
pub(crate) mod state;
pub(crate) mod sweep;
pub(crate) mod worker;
