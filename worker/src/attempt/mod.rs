//! One attempt at a job: from its claim to its published output.
//!
//! The [`executor`] holds what all jobs share. `lifecycle` runs a claimed job beside its lease, and writes its end to
//! the run. In between, the [`steps`] of the job's kind run:
//!
//! - [`input`] makes the input readable for ffmpeg, [`scratch`] gives the attempt a folder,
//! - the [`survey`] finds out what a probe cannot tell, [`quality`] finds the rate of a target by sample encodes,
//! - [`tool_output`] takes the file that ffmpeg made, [`verify`] checks it, [`changes`] lists what was kept,
//!   converted and lost,
//! - [`check`] looks for damage in a file,
//! - [`companions`] makes the files beside the output,
//! - [`trash`] puts sources back that outputs have replaced,
//! - [`ladder`] packages renditions for HLS and DASH,
//! - [`parts`] looks after split jobs,
//! - the [`rules`] say whether the original is the better result,
//! - `trust` says whose jobs are taken,
//! - [`publish`] makes the output appear, and `master` the master files of a ladder.
//!
//! If the fault of a failure is in doubt, a proof encode decides (`proof_encode`).
//!
//! More than 12 entries: each is one part of an attempt.

pub mod changes;
pub mod check;
pub mod companions;
pub mod executor;
pub mod input;
pub mod ladder;
mod lifecycle;
mod master;
pub mod outlines;
pub mod parts;
pub(crate) mod proof_encode;
pub mod proofs;
pub mod publish;
pub mod quality;
mod recipe_files;
pub mod rules;
pub mod scratch;
pub mod steps;
pub mod survey;
pub mod tool_output;
pub mod trash;
mod trust;
pub mod verify;
