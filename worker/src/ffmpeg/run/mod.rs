//! Runs ffmpeg and ffprobe, and interprets their output.
//!
//! [`runner`] runs both tools for a job; `trial` runs test encodes. Both are confined, and use `process`, which watches
//! one tool. `line` splits the output into lines; [`progress`] reads the figures; `tail` keeps the last lines of the
//! log. When a tool fails, [`fault`] decides whose fault that is. It searches the log for the phrases in `words`. If
//! none matches, it uses the line that `telling` picks. `speaker` separates the name of the component from the
//! message of a log line. [`complaints`] collects the errors that ffmpeg logged although it succeeded.

pub mod complaints;
pub mod fault;
mod line;
pub(crate) mod process;
pub mod progress;
pub mod runner;
mod speaker;
mod tail;
mod telling;
pub(crate) mod trial;
mod words;

pub(crate) use line::without_address;
pub use process::{Limits, starts};
pub(crate) use speaker::without_speaker;
