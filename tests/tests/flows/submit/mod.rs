//! What a person submits, once or again, and the names of the outputs.

mod enqueue;
mod home;
mod ladders;
mod merge;
mod names;
mod preset_files;
mod presets;
mod recipe_files;
mod renditions;
mod watch;
