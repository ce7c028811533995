//! Routes that only look.

pub(super) mod batches;
pub(super) mod foresee;
pub(super) mod history;
pub(super) mod jobs;
pub(super) mod live;
pub(super) mod log;
pub(super) mod preview;
pub(super) mod state;
