//! What a worker does with a claimed job, as those see it who hand jobs out:
//! neither side knows the other.

pub mod reach;
pub mod stop;

use common::broker::Claim;
use common::job::failure::Fault;
use common::job::run::Run;
use common::recipe::encoder::Encoder;

use crate::work::stop::Stop;

/// What is done with a claimed job.
pub trait Work: Send + Sync + 'static {
    /// Takes it to its end, or gives it back.
    fn execute(&self, claim: Claim, stop: Stop) -> impl Future<Output = AttemptEnd> + Send;

    /// Gives up what the attempts at a job may have left that nobody goes on with.
    fn clean_up(&self, run: &Run) -> impl Future<Output = ()> + Send;

    /// Makes an encode of its own with each of these encoders, as a job would.
    ///
    /// # Errors
    /// What went wrong: then it is the machine.
    fn prove(&self, encoders: Vec<Encoder>) -> impl Future<Output = Result<(), String>> + Send;

    /// Finds out anew what this machine can do, and makes an encode of its own
    /// with each of these encoders that it still can use. What was found holds
    /// where that passes.
    ///
    /// # Errors
    /// What went wrong: then the machine is not well yet.
    fn prove_again(
        &self,
        encoders: Vec<Encoder>,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// How an attempt ended, as far as it tells of this worker's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The output is published.
    Completed,
    /// It failed.
    Failed {
        /// By this fault.
        fault: Fault,
        /// What it was encoded with.
        by: Option<Encoder>,
    },
    /// It was given back, cancelled or lost.
    Gone,
}
