//! A broker, or the network to it, that fails.

mod away;
mod cluster;
mod crash;
mod enqueueing;
mod network;
mod rights;
mod role_orders;
mod roles;
