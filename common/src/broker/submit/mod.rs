//! Submitting jobs as one batch, each output with one owner.

pub(super) mod hand_in;
pub(super) mod names;
pub(super) mod outputs;
