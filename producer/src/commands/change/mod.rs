//! Commands that change jobs.

pub(super) mod cancel;
pub(super) mod reassign;
pub(super) mod reprioritize;
pub(super) mod retry;
pub(super) mod trash;
pub(super) mod undo;
