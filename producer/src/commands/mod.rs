//! The commands: a file per verb.

pub mod change;
pub mod completions;
pub mod download;
pub mod look;
pub mod orders;
pub mod presets;
pub mod run;
