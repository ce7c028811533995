//! Looking after split jobs, beyond a single attempt: chunks that take too long, and pieces that are not needed any more.

mod clear;
pub mod look_after;
