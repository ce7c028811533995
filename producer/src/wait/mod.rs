//! Staying with jobs until they have ended.

mod bars;
pub(crate) mod ended;
pub(crate) mod follow;
mod live;
