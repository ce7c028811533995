//! A farm of one machine, for as long as one command runs: a private broker
//! and one worker, both behind guards that end them when this program ends,
//! however it ends.

pub mod broker;
pub mod guard;
mod guarded;
pub mod leftovers;
pub mod memory;
pub mod scratch;
pub mod state;
pub mod sweep;
pub mod worker;

pub use guarded::Guarded;
