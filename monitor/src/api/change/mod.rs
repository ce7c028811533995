//! Routes that change something.

pub(super) mod create;
pub(super) mod orders;
pub(super) mod presets;
pub(super) mod settings;
pub(super) mod steer;
