//! From media to jobs in the queue.
//!
//! More than 12 entries: each is one step from media to jobs.

pub(crate) mod arrivals;
pub(crate) mod destination;
pub(crate) mod entry;
pub(crate) mod existing_outputs;
pub(crate) mod paths;
pub(crate) mod preflight;
pub(crate) mod replace;
pub(crate) mod rules;
pub(crate) mod send;
pub(crate) mod sidecars;
mod sniff;
pub(crate) mod sources;
pub(crate) mod submission;
pub(crate) mod terms;
pub(crate) mod upload;
