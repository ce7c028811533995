//! Publishing: an output appears whole, or not at all.

pub mod attributes;
pub(super) mod earlier;
pub(super) mod replace;
mod retry;
pub(super) mod sidecars;
pub(super) mod staged;
pub(super) mod staged_file;
