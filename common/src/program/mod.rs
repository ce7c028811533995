//! What every program of the farm does alike.

pub mod exit;
pub mod shutdown;
pub mod telemetry;
