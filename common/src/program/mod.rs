//! What all programs of the farm have in common: exit codes, logs, shutdown.

pub mod exit;
pub mod shutdown;
pub mod telemetry;
