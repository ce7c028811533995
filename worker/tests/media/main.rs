//! Encoding, watching, confining and checking with the real ffmpeg. ffmpeg itself makes the inputs, which are small and
//! lie in a folder that goes with the test.
//!
//! More than 12 entries: each is one thing that an attempt does with media.

mod audio_only;
mod basics;
mod changes;
mod check;
mod companions;
mod faults;
mod gate;
mod join;
mod ladder;
mod picture;
mod presets;
mod probe;
mod quality;
mod rate;
mod rules;
mod sound;
mod split;
mod studio;
mod subtitles;
mod table;
mod times;
mod tracks;
mod trim;
