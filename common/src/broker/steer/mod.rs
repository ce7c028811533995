//! What people change about jobs: cancel, move, retry, forget.

pub(super) mod change;
