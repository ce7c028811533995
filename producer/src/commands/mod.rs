//! The commands: a file per verb.

pub mod batch;
pub mod batches;
pub mod cancel;
pub mod completions;
pub mod download;
pub mod drain;
pub mod encode;
pub mod enqueue;
pub mod hours;
pub mod job;
pub mod jobs;
pub mod logs;
pub mod pause;
pub mod plan;
pub mod presets;
pub mod reassign;
pub mod reprioritize;
pub mod resume;
pub mod retry;
pub mod watch;
pub mod why;
pub mod workers;
