//! Routes and layers of the service itself: sessions, the record of changes, health, figures, headers.

pub(super) mod activity;
pub(super) mod health;
pub(super) mod jetstream;
pub(super) mod metrics;
pub(super) mod security;
pub(super) mod session;
pub(super) mod survive;
