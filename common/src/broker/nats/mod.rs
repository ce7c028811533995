//! NATS as the farm uses it: connecting, streams, batches, reads.

pub(super) mod atomic;
pub(super) mod clock;
pub(super) mod connect;
pub(super) mod direct;
pub(super) mod topology;
pub(super) mod values;
