//! One attempt at a job: from its input to its published output.

pub mod changes;
pub mod executor;
pub mod input;
pub mod proof_encode;
pub mod publish;
pub mod scratch;
pub mod tool_output;
pub mod verify;
