//! The farm while faults are injected: for each promise of the design, a test here breaks what the promise is about.

#![allow(clippy::unwrap_used)]

mod broker;
mod cancels;
mod keeping;
mod library;
mod notifications;
mod splits;
mod steps;
mod store;
mod undo;
mod worker;
