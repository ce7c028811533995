//! From media on disk to jobs in the queue.

pub mod arrivals;
pub mod existing_outputs;
pub mod preflight;
pub mod send;
pub mod sniff;
pub mod sources;
pub mod submission;
pub mod upload;
