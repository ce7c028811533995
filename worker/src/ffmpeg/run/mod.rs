//! Running ffmpeg and ffprobe, and understanding what they say.
//!
//! [`runner`] runs them for a job, confined; `unconfined` runs test encodes. Both watch a tool by `process`. What a tool
//! prints is cut into lines by `line`; [`progress`] reads the figures, `tail` keeps the last lines of the log.
//! When a tool fails, [`fault`] says whose fault that is: by the tables in `words`, or else by the line that
//! `telling` picks. `speaker` knows who speaks in a line. [`complaints`] are what an ffmpeg that ended well had to say.

pub mod complaints;
pub mod fault;
mod line;
pub(crate) mod process;
pub mod progress;
pub mod runner;
mod speaker;
mod tail;
mod telling;
pub(crate) mod unconfined;
mod words;

pub use process::Limits;
