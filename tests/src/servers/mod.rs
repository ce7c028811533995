//! Real servers of a farm, each on free ports and with its data in the test's folder.

pub mod broker;
pub mod cluster;
pub mod ports;
pub mod receiver;
pub mod store;
