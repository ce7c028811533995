//! The farm as people use it, while nothing breaks.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod damaged;
mod embedded;
mod enqueue;
mod home;
mod losses;
mod monitor_page;
mod names;
mod places;
mod plain_client;
mod presets;
mod scratch;
mod steer;
mod strangers;
mod terms;
mod variety;
mod watch;
