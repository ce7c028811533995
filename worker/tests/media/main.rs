//! Encoding, watching, confining and checking with the real ffmpeg. Inputs are
//! made by ffmpeg itself, small and in a folder that goes with the test.

mod basics;
mod changes;
mod faults;
mod gate;
mod picture;
mod probe;
mod sound;
mod studio;
mod table;
mod times;
mod tracks;
