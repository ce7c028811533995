//! Submitting jobs, without asking the broker: the names of outputs, and the result for each file. `broker/submit` asks
//! the broker and carries the decisions out.

pub mod decide;
mod depth;
pub mod existing_outputs;
pub mod feasible;
pub mod naming;
pub mod output_job;
pub mod output_set;
pub mod result;
pub mod rules;
pub mod sample;
pub mod terms;
