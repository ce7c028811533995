//! A worker of the farm: proves what its machine can do, takes jobs that ask
//! for just that, and runs ffmpeg on them.
//!
//! [`standing`] says whether it takes jobs at all, [`health`] how it fared with
//! the last ones, and [`admission`] which it takes;
//! `search` finds them and [`dispatcher`] fills slots with them; [`executor`] takes one job
//! from its input to its published output; [`ffmpeg`] knows ffmpeg and nothing
//! of the farm.

pub mod attempt;
pub mod capabilities;
pub mod config;
pub mod dispatch;
pub mod ffmpeg;
pub mod preview;
pub mod reach;
pub mod report;
pub mod sandbox;
pub mod stop;
pub mod work;
