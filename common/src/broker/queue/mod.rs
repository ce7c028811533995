//! The way of a job through the queue: enqueued, polled, claimed, kept, ended.

pub(super) mod claim;
pub(super) mod dead;
pub(super) mod enqueue;
pub(super) mod lanes;
pub(super) mod lease;
pub(super) mod owner;
pub(super) mod poll;
pub(super) mod restore;
pub(super) mod runs;
