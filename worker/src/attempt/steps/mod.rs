//! The steps of an attempt. Each takes the result of the step before it:
//!
//! ```text
//! read → Prepared, join → Prepared, probe → Probed, split → Probed, search → Probed, encode → Encoded,
//! verify → Verified, package → Verified, companions → Verified, publish → Report
//! ```
//!
//! A job that is split ends its first attempt there; [`split`] has the steps of its parts.
//!
//! Between them, the rules of the job are asked: if the original is the better result, the steps end.
//!
//! A kind of job is one list of steps, written as one function like `Attempt::encode_job`. Claim, lease, fence,
//! retries and cancellation are the same for all kinds; they belong to the [lifecycle](super::lifecycle).
//!
//! The part of a step that only needs ffmpeg is a method of the value that it takes. The part that needs the broker
//! or a store is a method of `Attempt`.
//!
//! More than 12 entries: each is one step, or what steps share.

mod check;
mod companions;
mod encode;
mod external;
mod join;
mod keep;
mod ladder;
mod probe;
mod publish;
mod read;
mod runs;
mod search;
mod split;
mod verify;

use common::broker::{BrokerError, Claim, ClaimError, LeaseEnd};
use common::job::Job;
use common::job::failure::Failure;
use common::job::kind::JobKind;
use common::job::part::Part;
use common::job::run::Stage;
use common::job::run::kept::KeptReport;
use common::job::run::report::Report;
use common::spans;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::attempt::executor::Executor;
use crate::attempt::input;
use crate::attempt::publish::replace;
use crate::attempt::steps::split::Planned;
use crate::attempt::trust::PlanError;
use crate::report::progress::Reporter;
use crate::work::stop::Expected;

pub use encode::{EncodeEnd, Encoded};
pub(crate) use external::foreseen as subtitle_files;
pub use probe::Probed;
pub use read::Prepared;
pub use runs::{Notice, Share};
pub use verify::Verified;

/// Why an attempt made no output.
pub(super) enum Unfinished {
    Failed(Failure),
    /// The rules say that the original is the better result.
    Kept(Box<KeptReport>),
    /// The attempt was only to look for an earlier output, and there is none.
    Vanished,
    /// The job belongs to another worker, or the broker gave no answer.
    ClaimError(ClaimError),
    LeaseEnd(LeaseEnd),
    Stopping,
    /// The job goes on in so many parts, which are enqueued.
    Split(usize),
    /// The parts of the job cannot give its output, for this reason: it is to be encoded as a whole.
    Unsplit(String),
    /// This worker's ffmpeg makes chunks that cannot be joined with those of others.
    Unfit,
}

impl From<Failure> for Unfinished {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<BrokerError> for Unfinished {
    fn from(error: BrokerError) -> Self {
        Self::ClaimError(error.into())
    }
}

impl From<PlanError> for Unfinished {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Distrust(why) => Self::Failed(Failure::input(why.to_string())),
            PlanError::Broker(error) => error.into(),
        }
    }
}

impl From<ClaimError> for Unfinished {
    fn from(lost: ClaimError) -> Self {
        Self::ClaimError(lost)
    }
}

/// Waits for a step within a span of the job's trace.
async fn traced<T>(
    name: &'static str,
    step: impl Future<Output = Result<T, Unfinished>>,
) -> Result<T, Unfinished> {
    let span = spans::step(name);
    // On the heap: what a step holds would be in the attempt once more.
    let done = Box::pin(step.instrument(span.clone())).await;
    if let Err(Unfinished::Failed(failure)) = &done {
        spans::fail(&span, failure);
    }
    done
}

/// An attempt under way, and what its steps share.
pub(super) struct Attempt<'a> {
    executor: &'a Executor,
    claim: &'a mut Claim,
    job: Job,
    number: u32,
    reporter: Reporter,
    expected: &'a Expected,
    /// Cancels the current step.
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

    pub(super) async fn run(mut self) -> Result<Report, Unfinished> {
        let ended = match (self.job.id.part(), self.job.kind) {
            // On the heap: what such an attempt holds would fill the stack of a thread.
            (Part::Whole, JobKind::Encode) => Box::pin(self.encode_job()).await,
            (Part::Whole, JobKind::Check(depth)) => self.check_job(depth).await,
            (part, _) => Box::pin(self.part_job(part)).await,
        };
        match ended {
            Err(Unfinished::Kept(report)) => Err(self.keep(*report).await),
            ended => ended,
        }
    }

    /// The steps of an encode, or of a remux if the recipe copies video.
    async fn encode_job(&mut self) -> Result<Report, Unfinished> {
        self.report(Stage::Reading, None).await;
        // The source's own name may hold an output already.
        if let Some(report) = self.published_earlier().await? {
            return Ok(report);
        }
        input::differs(&self.executor.stores, &self.job).await?;
        // A file that a rule leaves as it is needs no place for an output.
        let may_be_left = self.job.rules.skip_if.is_some();
        if !may_be_left {
            self.has_place().await?;
        }
        let given_up = match self.planned().await? {
            Planned::Parts(plan, state) => return Box::pin(self.resume(*plan, state)).await,
            Planned::Whole(why) => Some(why),
            Planned::Not => None,
        };
        let prepared = traced("read", self.read()).await?;
        let prepared = traced("merge", self.join(prepared)).await?;
        let prepared = self.keep_by_rule(prepared).await?;
        if may_be_left {
            self.has_place().await?;
        }
        let prepared = self.look_at_outline(prepared).await?;
        let probed = traced("probe", self.probe(prepared)).await?;
        let probed = match given_up {
            Some(why) => probed.left_whole(why),
            None => traced("plan", self.split(probed)).await?,
        };
        self.companions_have_room(probed.suffixes()).await?;
        let probed = traced("search", self.search(probed)).await?;
        let encoded = traced("encode", self.encode(probed)).await?;
        let verified = traced("check", self.verify(encoded)).await?;
        self.keep_if_larger(&verified)?;
        let verified = traced("package", self.package(verified)).await?;
        let verified = traced("companions", self.add_companions(verified)).await?;
        traced("publish", self.publish(verified)).await
    }

    /// Makes sure that the output and the files beside it may appear.
    async fn has_place(&self) -> Result<(), Unfinished> {
        replace::can_replace(&self.executor.stores, &self.job).await?;
        let suffixes = self.job.recipe.companions.suffixes();
        Ok(self.companions_have_room(suffixes).await?)
    }

    async fn report(&self, stage: Stage, fraction: Option<f32>) {
        self.reporter.report(stage, fraction, None, None).await;
    }
}
