//! What the tests of the whole farm stand on: a real broker and store of their
//! own, the built programs, an ffmpeg that fails on demand, and views of all
//! that from outside.
//!
//! Everything that is started here is killed and reaped when it is dropped, a
//! panicking test included, and lives in a folder that goes with the test.
//! Nothing sleeps and hopes: whoever waits polls a condition, with a deadline.
//!
//! Reading order: [`farm`] is what most tests begin with; [`programs`] starts
//! workers and runs the producer; [`stand_in`] makes ffmpeg fail; [`outside`]
//! and [`media`] look at what came of it.
//!
//! Faults: [`proxy`] is a network that breaks, [`moment`] meets a worker at one
//! moment of a job, and [`audit`] checks every promise when all is over.

// Helpers of tests may panic wherever a test may.
#![allow(clippy::missing_panics_doc)]

pub mod audit;
pub mod broker;
pub mod browser;
pub mod cluster;
pub mod disk;
pub mod farm;
pub mod media;
pub mod moment;
pub mod monitor;
pub mod outside;
pub mod paths;
pub mod poison;
pub mod poll;
mod ports;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod stand_in;
pub mod store;
