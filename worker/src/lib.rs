//! A worker of the farm: proves what its machine can do, takes jobs that ask for
//! just that, and runs ffmpeg on them.
//!
//! ```text
//! app ──► dispatch ──► work ◄── attempt ──► ffmpeg ──► sandbox
//!            │                     │
//!            └────► reach, report ◄┘
//! ```
//!
//! [`dispatch`] decides when jobs are taken and which; [`attempt`] takes one job
//! from its input to its published output; [`capabilities`] finds out what can be
//! encoded here; [`ffmpeg`] knows ffmpeg and nothing of the farm.

pub mod app;
pub mod attempt;
pub mod capabilities;
pub mod cli;
pub mod dispatch;
pub mod ffmpeg;
pub mod preview;
pub mod report;
pub mod sandbox;
pub mod work;
