//! The configuration of a nats-server for a farm: the shipped settings, and users with the rights of their roles. Pure.

mod conf;
mod rights;
mod users;

pub use conf::{HttpPort, ServerConfig, quoted};
pub use users::{Login, Role, RoleError, Subjects, User, authorization};
