//! The steps of an attempt. Each takes what the step before it made:
//!
//! ```text
//! read → Prepared, probe → Probed, encode → Encoded, verify → Verified, publish → Report
//! ```
//!
//! A kind of job is one list of steps, written as one function like `Attempt::encode_job`. Claim, lease, fence, retries
//! and cancellation are the same for all kinds: they are the [lifecycle](super::lifecycle)'s.
//!
//! What a step does with ffmpeg alone is a method of the value that it takes, and needs no farm. What it tells the farm,
//! or asks of a store, is a method of `Attempt`.

mod encode;
mod probe;
mod publish;
mod read;
mod verify;

use common::broker::{Claim, ClaimError, LeaseEnd};
use common::job::Job;
use common::job::failure::Failure;
use common::job::run::Stage;
use common::job::run::report::Report;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::attempt::input;
use crate::report::progress::Reporter;
use crate::work::stop::Expected;

pub use encode::Encoded;
pub use probe::Probed;
pub use read::Prepared;
pub use verify::Verified;

/// Why an attempt brought no output.
pub(super) enum Unfinished {
    Failed(Failure),
    /// What the attempt was only to look for, has not appeared.
    Vanished,
    /// The job turned out to be another worker's.
    ClaimError(ClaimError),
    /// The lease has ended.
    LeaseEnd(LeaseEnd),
    /// The worker stops.
    Stopping,
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<ClaimError> for Unfinished {
    fn from(lost: ClaimError) -> Self {
        Self::ClaimError(lost)
    }
}

/// An attempt under way, and all that its steps share.
pub(super) struct Attempt<'a> {
    executor: &'a Executor,
    claim: &'a mut Claim,
    job: Job,
    number: u32,
    reporter: Reporter,
    expected: &'a Expected,
    /// Ends whatever a step is about.
    stop: CancellationToken,
    started: Instant,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        executor: &'a Executor,
        claim: &'a mut Claim,
        expected: &'a Expected,
        stop: CancellationToken,
    ) -> Self {
        let job = claim.job().clone();
        let number = claim.run().attempt;
        let (broker, worker) = (executor.broker.clone(), executor.name.clone());
        Self {
            reporter: Reporter::new(broker, worker, job.id, number),
            executor,
            claim,
            job,
            number,
            expected,
            stop,
            started: Instant::now(),
        }
    }

    /// Takes the job through the steps of its kind.
    pub(super) async fn run(mut self) -> Result<Report, Unfinished> {
        self.encode_job().await
    }

    /// An encode; a remux where the recipe copies video.
    async fn encode_job(&mut self) -> Result<Report, Unfinished> {
        self.report(Stage::Reading, None).await;
        input::differs(&self.executor.stores, &self.job).await?;
        if let Some(report) = self.published_earlier().await? {
            return Ok(report);
        }
        let prepared = self.read().await?;
        let probed = self.probe(prepared).await?;
        let encoded = self.encode(probed).await?;
        let verified = self.verify(encoded).await?;
        self.publish(verified).await
    }

    async fn report(&self, stage: Stage, fraction: Option<f32>) {
        self.reporter.report(stage, fraction, None, None).await;
    }
}
