//! The producer as a program, on a real broker. Tests that need a worker as well are in the workspace's `tests`
//! package.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod enqueue;
mod farm;
#[cfg(unix)]
mod guard;
mod parts;
