//! Workers that fail, ffmpegs of workers that fail, and workers that are attacked.
//!
//! More than 12 entries: each is one thing that goes wrong, or somebody who is up to no good.

mod attacks;
mod bad_ffmpeg;
mod checks;
mod clocks;
mod declined;
mod full_disk;
mod hanging_poll;
mod lost;
mod poison;
mod quarantine;
mod signed;
mod zombie;
