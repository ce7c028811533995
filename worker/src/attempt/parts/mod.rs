//! Looking after split jobs, beyond a single attempt: chunks that take too long, jobs that would stand still, and pieces
//! that are not needed any more.

mod clear;
pub mod look_after;
mod mend;
mod stuck;
