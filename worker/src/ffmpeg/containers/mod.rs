//! Metadata of containers that ffmpeg neither reads nor writes.

pub mod cmaf;
pub mod ebml;
pub mod finish;
pub mod matroska;
pub mod mp4;
pub mod outline;
