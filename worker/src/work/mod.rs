//! The interface between the dispatcher, which hands out claimed jobs, and the code that runs them. Neither side
//! knows the other.

pub mod reach;
pub mod stop;
pub mod unfit;

use common::broker::{Claim, CompletedJob};
use common::job::failure::Fault;
use common::job::run::Run;
use common::recipe::encoder::Encoder;

use crate::work::stop::Stop;

/// The work that can be done with a claimed job.
pub trait Work: Send + Sync + 'static {
    /// Runs the job to its end, or releases it.
    fn execute(&self, claim: Claim, stop: Stop) -> impl Future<Output = AttemptEnd> + Send;

    /// Removes or aborts what the attempts at a job may have left, if nobody goes on with the job.
    fn clean_up(&self, run: &Run) -> impl Future<Output = ()> + Send;

    /// Does what follows from the completion of a job: the master files of its ladder appear, or the pieces of a split
    /// job go on or go away.
    fn finish(&self, done: CompletedJob) -> impl Future<Output = ()> + Send;

    /// Makes a proof encode with each of these encoders.
    ///
    /// # Errors
    /// The reason why a proof encode failed. Then this machine is at fault.
    fn prove(&self, encoders: Vec<Encoder>) -> impl Future<Output = Result<(), String>> + Send;

    /// Detects the encoders of this machine again, and makes a proof encode with each of these encoders that still
    /// works. If they pass, the new capability card takes effect.
    ///
    /// # Errors
    /// The reason why the machine is not sound yet.
    fn prove_again(
        &self,
        encoders: Vec<Encoder>,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// How an attempt ended, as far as this shows the health of the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The output is published.
    Completed,
    Failed {
        fault: Fault,
        /// The encoder of the attempt, if it had one.
        by: Option<Encoder>,
    },
    /// The job was released, cancelled or lost.
    Gone,
}
