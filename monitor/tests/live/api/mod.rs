//! The HTTP API, as programs use it.

pub(crate) mod access;
pub(crate) mod create;
mod document;
mod files;
mod hooks;
mod parts;
mod reference;
mod schema;
mod settings;
mod state;
mod steer;
