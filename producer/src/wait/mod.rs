//! Waiting until jobs have ended, with progress for people.

mod bars;
pub(crate) mod ended;
pub(crate) mod follow;
mod live;
pub(crate) mod masters;
