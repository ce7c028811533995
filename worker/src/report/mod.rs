//! What the farm hears of this worker.

pub mod heartbeat;
pub mod load;
pub mod namesake;
