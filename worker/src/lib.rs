//! A worker of the farm: it tests which encoders its machine supports, takes jobs for these encoders, and runs ffmpeg
//! on them.
//!
//! ```text
//! app ──► dispatch ──► work ◄── attempt ──► ffmpeg ──► sandbox
//!            │                     │
//!            └────► reach, report ◄┘
//! ```
//!
//! [`dispatch`] decides when to take jobs, and which; [`attempt`] runs one job from its input to its published
//! output; [`capabilities`] tests the encoders; [`ffmpeg`] knows ffmpeg and nothing of the farm; [`library`]
//! keeps folders in shape.
//!
//! More than 12 entries: each folder is one part of the program, as above.

// All that is printed goes through common::program::console, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod attempt;
pub mod capabilities;
pub mod cli;
pub mod dispatch;
pub mod ffmpeg;
pub mod library;
pub mod preview;
pub mod report;
pub mod sandbox;
pub mod work;
