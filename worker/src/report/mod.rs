//! What the farm hears of this worker.

pub mod availability;
pub(crate) mod gauge;
pub mod heartbeat;
pub mod load;
pub mod namesake;
pub mod progress;
