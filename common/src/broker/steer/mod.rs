//! Changing what was decided about jobs and batches.

pub(super) mod batches;
pub(super) mod change;
