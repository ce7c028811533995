//! Which worker can run which job, when, and why a job waits. Pure.

pub mod encoder;
pub mod estimate;
pub mod fit;
pub mod history;
pub mod outlook;
pub mod parts;
pub mod pin;
pub mod plan;
pub mod ratios;
pub mod scale;
pub mod why;
