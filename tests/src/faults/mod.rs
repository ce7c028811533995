//! Faults on demand: in networks, in ffmpeg, on disks, and in workers that are stopped at one step of a job.

pub mod attacks;
pub mod disk;
pub mod poison;
pub mod proxy;
pub mod stand_in;
pub mod victim;
