//! Which jobs this worker takes, and when.
//!
//! [`core`] decides, without any input or output. [`dispatcher`] is the loop: it passes events to the core, and the
//! runner carries out the actions of the core as tasks:
//!
//! ```text
//! sources ─┐                        ┌─► runner ─► tasks: polls, searches, jobs, proofs
//!          ├─► dispatcher ⇄ core ───┘                         │
//!          └───────────────◄──────────── their ends ◄─────────┘
//! ```

pub mod admission;
mod core;
pub mod dispatcher;
pub mod orders;
mod reserved;
mod room;
mod sources;
mod tasks;
mod wakeups;

pub use core::lifetime::Limits;
