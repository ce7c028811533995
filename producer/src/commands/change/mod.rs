//! Verbs that change what was decided about jobs.

pub mod cancel;
pub mod reassign;
pub mod reprioritize;
pub mod retry;
