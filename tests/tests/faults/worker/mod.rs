//! Workers that fail, and ffmpegs of workers that fail.

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
mod zombie;
