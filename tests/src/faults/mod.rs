//! Faults on demand: in networks, in ffmpeg, on disks, in workers that are stopped at one step of a job, and people who
//! mean no good.

pub mod attacks;
pub mod disk;
pub mod poison;
pub mod proxy;
pub mod stand_in;
pub mod strangers;
pub mod victim;
