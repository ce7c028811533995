//! Changes of jobs by people: cancel, move, retry, forget.

pub(super) mod change;
mod undo;
