//! A worker of the farm: proves what its machine can do, takes jobs that ask
//! for just that, and runs ffmpeg on them.
//!
//! [`standing`] says whether it takes jobs at all, [`health`] how it fared with
//! the last ones, and [`admission`] which it takes;
//! `search` finds them and [`dispatcher`] fills slots with them; [`executor`] takes one job
//! from its input to its published output; [`ffmpeg`] knows ffmpeg and nothing
//! of the farm.

pub mod admission;
pub mod attributes;
pub mod card;
pub mod changes;
mod child;
pub mod config;
pub mod damage;
pub mod dispatcher;
pub mod executor;
pub mod ffmpeg;
pub mod gaps;
pub mod gate;
pub mod health;
pub mod hidden;
pub mod input;
pub mod made;
pub mod meter;
pub mod namesake;
pub mod orders;
pub mod patience;
pub mod peek;
pub mod presence;
pub mod proof;
pub mod publish;
pub mod reach;
pub mod sandbox;
pub mod scratch;
mod search;
pub mod standing;
pub mod stop;
