//! The farm as a whole: its streams, batches, workers, orders and settings.

mod ask;
pub(super) mod batches;
pub(super) mod namesake;
pub(super) mod orders;
pub(super) mod preview;
pub(super) mod quarantine;
pub(super) mod registry;
pub(super) mod replicas;
pub(super) mod samples;
pub(super) mod settings;
pub(super) mod topology;
