//! The commands: a file per verb.

pub mod completions;
pub mod encode;
pub mod enqueue;
pub mod job;
pub mod jobs;
pub mod plan;
pub mod workers;
