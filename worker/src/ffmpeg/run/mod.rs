//! ffmpeg's process: started, watched, understood.

pub mod complaints;
pub mod fault;
pub mod process;
pub mod progress;
pub mod tail;
