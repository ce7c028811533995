//! A farm that is watched: traces, logs, metrics, and the alerts and the dashboard that are made of these.

#![allow(clippy::unwrap_used)]

mod collector;
mod lines;
mod metrics;
mod prometheus;
mod traces;
mod without_receiver;
