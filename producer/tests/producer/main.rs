//! The producer as a program, on a real broker. What needs a worker as well is
//! in the workspace's `tests` package.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod enqueue;
mod farm;
#[cfg(unix)]
mod guard;
