//! What a worker program can do besides working.

pub mod capabilities;
pub mod check_config;
