//! What all programs of the farm have in common: exit codes, what they print and log, shutdown.

pub mod console;
pub mod exit;
pub mod shutdown;
pub mod telemetry;
