//! Workers, orders and settings.

pub(super) mod namesake;
pub(super) mod orders;
pub(super) mod preview;
pub(super) mod quarantine;
pub(super) mod registry;
pub(super) mod settings;
