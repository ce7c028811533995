//! Submitting jobs: what their outputs are called.

pub mod naming;
