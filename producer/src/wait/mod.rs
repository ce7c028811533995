//! Waiting until jobs have ended.

pub mod follow;
pub mod outlook;
pub mod wait;
