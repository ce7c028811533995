//! From media to jobs in the queue.

pub(crate) mod arrivals;
pub(crate) mod destination;
pub(crate) mod entry;
pub(crate) mod existing_outputs;
pub(crate) mod preflight;
pub(crate) mod send;
mod sniff;
pub(crate) mod sources;
pub(crate) mod submission;
pub(crate) mod terms;
pub(crate) mod upload;
