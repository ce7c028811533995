//! Submitting jobs as one batch, each output with one owner.

pub(super) mod hand_in;
pub(super) mod makers;
pub(super) mod names;
