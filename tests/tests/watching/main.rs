//! A farm that is watched: traces and logs.

#![allow(clippy::unwrap_used)]

mod collector;
mod lines;
mod traces;
mod without_receiver;
