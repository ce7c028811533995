//! Why a job is where it is, in one true sentence: pure, for every program
//! that tells it to a person.

mod cause;
mod judge;
mod sentence;
#[cfg(test)]
mod tests;

pub use cause::{Cause, Opening, Reason, Why};
pub use judge::WhyContext;
