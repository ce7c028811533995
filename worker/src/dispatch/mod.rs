//! Which jobs this worker takes, and when.
//!
//! [`core`] decides, without any input or output. [`dispatcher`] is the loop that
//! brings it events and has its actions carried out, as tasks of their own:
//!
//! ```text
//! sources ─┐                        ┌─► hands ─► tasks: polls, searches, jobs, proofs
//!          ├─► dispatcher ⇄ core ───┘                        │
//!          └───────────────◄──────────── their ends ◄────────┘
//! ```

pub mod admission;
mod core;
pub mod dispatcher;
pub mod orders;
mod room;
mod sources;
mod tasks;
mod wakeups;
