//! Commands that only read.

pub(super) mod batch;
pub(super) mod batches;
pub(super) mod job;
pub(super) mod jobs;
pub(super) mod logs;
mod parts;
mod time_left;
pub(super) mod why;
pub(super) mod workers;
