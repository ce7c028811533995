//! How an output appears: whole, or not at all.

pub mod attributes;
mod retry;
pub mod staged;
pub mod staged_file;
