//! What all programs of the farm have in common: exit codes, the farm's file and how a machine gets it, what they print and
//! log, the traces that they send, shutdown, manual pages.

pub mod console;
pub mod exit;
pub mod farm_file;
pub mod join;
#[cfg(feature = "manual")]
pub mod manual;
pub mod metrics;
pub mod shutdown;
pub mod telemetry;
pub mod traces;
