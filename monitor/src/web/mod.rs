//! What all routes share: the state, kept answers, and errors.

pub(crate) mod app;
pub(crate) mod cache;
pub(crate) mod refusal;
