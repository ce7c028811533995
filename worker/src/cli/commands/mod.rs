//! The subcommands of the worker program.

pub mod capabilities;
pub mod check_config;
