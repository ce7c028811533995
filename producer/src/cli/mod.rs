//! The command line: options that all commands share, settings, exit codes.

pub(crate) mod args;
pub(crate) mod exit;
pub(crate) mod settings;
pub(crate) mod usage;
