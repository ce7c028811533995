//! The farm as people use it, while nothing breaks.

#![allow(clippy::unwrap_used)]

mod embedded;
mod inputs;
mod monitor_page;
mod plain_client;
mod steer;
mod strangers;
mod submit;
mod worker;
