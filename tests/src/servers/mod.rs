//! The servers of a farm, real ones, each on free ports and with its data in a
//! test's folder.

pub mod broker;
pub mod cluster;
mod ports;
pub mod store;
