//! One attempt at a job: from its input to its published output.

pub mod changes;
pub mod executor;
pub mod input;
pub mod patience;
pub mod proof;
pub mod publish;
pub mod scratch;
pub mod verify;
