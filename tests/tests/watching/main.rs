//! A farm that is watched: traces, logs and metrics.

#![allow(clippy::unwrap_used)]

mod collector;
mod lines;
mod metrics;
mod traces;
mod without_receiver;
