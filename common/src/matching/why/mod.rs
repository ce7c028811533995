//! Why a job is in its state, in one sentence. Pure, for every program that tells it to a person.

mod cause;
mod judge;
mod sentence;
#[cfg(test)]
mod tests;

pub use cause::{Cause, Opening, Reason, Why};
pub use judge::WhyContext;
