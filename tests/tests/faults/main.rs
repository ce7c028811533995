//! The farm while things break on purpose: each promise of the design has a
//! test here that breaks what it is about.

#![allow(clippy::unwrap_used)]

mod bad_ffmpeg;
mod broker_away;
mod broker_crash;
mod cancels;
mod clocks;
mod cluster;
mod declined;
mod enqueueing;
mod full_disk;
mod full_place;
mod lost_worker;
mod moments;
mod network;
mod outputs;
mod poison;
mod quarantine;
mod store_faults;
mod store_outage;
mod zombie;
