//! What all routes share: the state, kept answers, streams and what waits for them, and errors.

pub(crate) mod app;
pub(crate) mod backlog;
pub(crate) mod cache;
pub(crate) mod refusal;
pub(crate) mod streams;
