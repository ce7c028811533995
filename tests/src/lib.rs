//! What the tests of the whole farm stand on: a real broker and store of their
//! own, the built programs, an ffmpeg that fails on demand, and views of all
//! that from outside.
//!
//! Everything that is started here is killed and reaped when it is dropped, a
//! panicking test included, and lives in a folder that goes with the test.
//! Nothing sleeps and hopes: whoever waits polls a condition, with a deadline.
//!
//! Reading order: [`farm`] is what most tests begin with; [`servers`] are its
//! broker and its store; [`programs`] starts workers and monitors, and runs the
//! producer; [`outside`] looks at what came of it, and checks every promise when
//! all is over; [`faults`] breaks networks, ffmpeg and workers on demand.

// Helpers of tests may panic wherever a test may.
#![allow(clippy::missing_panics_doc)]

pub mod browser;
pub mod farm;
pub mod faults;
pub mod outside;
pub mod paths;
pub mod poll;
pub mod process;
pub mod programs;
pub mod progress;
pub mod servers;
