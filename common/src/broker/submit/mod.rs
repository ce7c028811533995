//! Submitting jobs as one batch, each output with one owner.

pub(super) mod names;
pub(super) mod output_jobs;
pub(super) mod submission;
