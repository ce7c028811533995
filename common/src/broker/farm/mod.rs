//! The farm as a whole: its streams, batches, workers, orders, settings and hooks.
//!
//! More than 12 entries: one file for each kind of record.

mod ask;
pub(super) mod autoscalers;
pub(super) mod backup;
pub(super) mod batches;
pub(super) mod hooks;
pub(super) mod namesake;
pub(super) mod notifications;
pub(super) mod orders;
pub(super) mod preview;
pub(super) mod quarantine;
pub(super) mod registry;
pub(super) mod replicas;
pub(super) mod requests;
mod rights;
pub(super) mod samples;
pub(super) mod settings;
pub(super) mod topology;
pub(super) mod trash;
