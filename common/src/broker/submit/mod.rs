//! Submitting jobs as one batch: outputs are named, looked up and claimed, and the missing jobs are enqueued.

pub(super) mod ladders;
pub(super) mod names;
pub(super) mod new_batch;
pub(super) mod output_jobs;
pub(super) mod samples;
