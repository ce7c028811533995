//! Inputs of every kind: good, bad and damaged.

mod bad_input;
mod damaged;
mod hostile;
mod losses;
mod pictures;
mod subtitles;
mod variety;
