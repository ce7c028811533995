//! The farm as people use it, without faults.
//!
//! More than 12 entries: one file or folder for each part of what people do.

#![allow(clippy::unwrap_used)]

mod backup;
mod check;
mod documents;
mod embedded;
mod frames;
mod hostile_text;
mod inputs;
mod library;
mod monitor_page;
mod notifications;
mod plain_client;
mod replace;
mod rules;
mod sample;
mod scale;
mod secrets;
mod setup;
mod splits;
mod steer;
mod strangers;
mod submit;
mod worker;
