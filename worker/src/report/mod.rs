//! Publishes the state of this worker and of its jobs.

pub mod availability;
pub(crate) mod gauge;
pub mod heartbeat;
pub mod load;
pub mod metrics;
pub mod namesake;
pub mod progress;
