//! Commands that make jobs.

pub(super) mod check;
pub(super) mod dry_run;
pub(super) mod encode;
pub(super) mod enqueue;
pub(super) mod merge;
mod on_farm;
mod passing_farm;
pub(super) mod plan;
pub(super) mod sample;
mod summary;
pub(super) mod watch;
