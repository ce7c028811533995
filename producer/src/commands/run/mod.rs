//! Verbs that make jobs.

pub mod dry_run;
pub mod encode;
pub mod enqueue;
pub mod plan;
pub mod watch;
