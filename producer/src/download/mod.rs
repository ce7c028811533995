//! Downloading results from the store into a folder of this machine.

pub(crate) mod downloads;
pub(crate) mod event;
mod file;
pub(crate) mod target;
