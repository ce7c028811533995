//! The farm while things break on purpose: each promise of the design has a
//! test here that breaks what it is about.

#![allow(clippy::unwrap_used)]

mod broker;
mod cancels;
mod steps;
mod store;
mod worker;
