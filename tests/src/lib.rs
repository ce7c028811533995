//! The harness for the tests of the whole farm: a real broker and store for each test, the built programs, an ffmpeg
//! that fails on demand, and views of all these from outside.
//!
//! Every process that the harness starts is killed and reaped when its handle is dropped, also if the test panics. Its
//! files lie in a folder that goes with the test. A wait polls a condition with a deadline.
//!
//! More than 12 entries: each is one part that tests rely on.
//!
//! Reading order: most tests begin with [`farm`]; [`servers`] holds its broker and its store; [`programs`] starts
//! workers and monitors, and runs the producer; [`outside`] looks at files and processes, and checks every promise at
//! the end; [`faults`] breaks networks, ffmpeg and workers on demand.

// Helpers of tests may panic wherever a test may.
#![allow(clippy::missing_panics_doc)]

pub mod browser;
pub mod farm;
pub mod faults;
pub mod library;
pub mod outside;
pub mod paths;
pub mod poll;
pub mod process;
pub mod programs;
pub mod progress;
pub mod servers;
