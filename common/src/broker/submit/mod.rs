//! Submitting jobs as one batch, each output with one owner.

pub(super) mod makers;
pub(super) mod names;
pub(super) mod submission;
