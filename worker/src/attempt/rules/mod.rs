//! The rules of a job: whether the original of a file is the better result.

mod limit;

pub use limit::OutputLimit;
