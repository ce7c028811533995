//! What breaks on demand: networks, ffmpeg, disks, and workers that are met at
//! one step of a job.

pub mod disk;
pub mod poison;
pub mod proxy;
pub mod stand_in;
pub mod victim;
