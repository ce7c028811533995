//! Verbs that only look.

pub mod batch;
pub mod batches;
pub mod job;
pub mod jobs;
pub mod logs;
pub mod why;
pub mod workers;
