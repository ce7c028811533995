//! One attempt at a job: from its claim to its published output.
//!
//! The [`executor`] holds what all jobs share. `lifecycle` takes a claimed job to its end beside its lease, and writes
//! the end down. In between, the [`steps`] of the job's kind run:
//!
//! - [`input`] brings the input within ffmpeg's reach, [`scratch`] gives the attempt a folder,
//! - [`tool_output`] takes what ffmpeg made, [`verify`] checks it, [`changes`] tells what was kept, converted and lost,
//! - [`publish`] makes the output appear.
//!
//! When an attempt fails by nobody knows whose fault, a proof encode of the worker's own decides (`proof_encode`).

pub mod changes;
pub mod executor;
pub mod input;
mod lifecycle;
pub(crate) mod proof_encode;
pub mod proofs;
pub mod publish;
pub mod scratch;
pub mod steps;
pub mod tool_output;
pub mod verify;
