//! The monitor on a real broker, used by programs and by people.

mod access;
mod client;
mod create;
mod document;
mod farm;
mod files;
mod fixture;
mod pages;
mod schema;
mod server;
mod settings;
mod state;
mod steer;

use fixture::Monitor;
