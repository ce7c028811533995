//! What all programs of the farm have in common: exit codes, the farm's file and how a machine gets it, what they print and
//! log, the traces that they send, shutdown.

pub mod console;
pub mod exit;
pub mod farm_file;
pub mod join;
pub mod metrics;
pub mod shutdown;
pub mod telemetry;
pub mod traces;
