//! The command line: configuration, commands besides running, errors and their exit codes.

pub mod commands;
pub mod config;
pub mod error;
