//! What a person submits, how often, and what the results are called.

mod enqueue;
mod home;
mod names;
mod presets;
mod watch;
