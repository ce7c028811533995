//! A job's way through the queue: enqueued, polled, claimed, leased, ended.
//!
//! More than 12 entries: each is one step of a job's way through the queue.

pub(super) mod answers;
pub(super) mod claim;
pub(super) mod dead;
pub(super) mod enqueue;
pub(super) mod lanes;
pub(super) mod messages;
pub(super) mod notices;
pub(super) mod outputs;
pub(super) mod parked;
pub(super) mod poll;
pub(super) mod record;
pub(super) mod restore;
pub(super) mod runs;
pub(super) mod trace;
