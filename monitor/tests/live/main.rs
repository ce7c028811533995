//! The monitor on a real broker, used by programs and by people.

mod api;
mod client;
mod doors;
mod farm;
mod fixture;
mod pages;
mod server;
mod split;

use fixture::Monitor;
