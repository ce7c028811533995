//! The contract between the programs of the farm: the types that they share, how these are encoded on the wire, and
//! the broker operations that all programs must perform in exactly the same way. No policy, no ffmpeg, no command
//! line.
//!
//! Reading order: [`job`] is the work, [`recipe`] how it is done, [`farm`] the queues and workers, [`matching`] which
//! worker can do it, [`job::run`] the stored record of a job, [`names::subject`] the names on the broker, and
//! [`broker`] the operations.
//!
//! More than 12 entries: one folder for each subject of the contract.

// The documentation of this crate has readers in three programs; that of a program has none.
#![warn(missing_docs)]
// All that is printed goes through `program::console`, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod broker;
pub mod farm;
pub mod job;
pub mod library;
pub mod matching;
pub mod names;
pub mod notify;
pub mod program;
pub mod recipe;
pub mod rules;
pub mod spans;
pub mod store;
pub mod submit;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod wire;
