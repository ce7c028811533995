//! The life of a claimed job, from its claim to the last write of its run. It is the same for all kinds of jobs.
//!
//! The steps run beside the lease. When the lease ends or the worker stops, the steps are cancelled and get a moment
//! to end the processes that they started. Then the result is written to the run.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use common::broker::{Claim, ClaimError, CompletedJob, Lease, LeaseEnd};
use common::job::failure::Failure;
use common::job::run::RunState;
use common::job::run::report::Report;
use common::spans;
use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::attempt::executor::Executor;
use crate::attempt::publish::earlier::AtOutput;
use crate::attempt::publish::{earlier, replace, sidecars, staged_file};
use crate::attempt::steps::{Attempt, Unfinished};
use crate::attempt::trust::Trusted;
use crate::report::metrics::counters::Counted;
use crate::work::AttemptEnd;
use crate::work::stop::{Expected, Stop};

/// How long an attempt may take to clean up after it was cancelled or has failed.
const CLEAN_UP: Duration = Duration::from_secs(10);

impl Executor {
    /// Runs a claimed job to its end, or releases it.
    pub(super) async fn run_to_end(&self, mut claim: Claim, stop: Stop) -> AttemptEnd {
        let job = claim.job().id;
        let part = (!job.is_whole()).then(|| claim.job().clone());
        let attempt = claim.run().attempt;
        // Every line of the log that is about the job names it, whatever is logged: the span is an error's.
        let named = tracing::error_span!("job", %job, attempt);
        let traced = claim.span(&self.name);
        let _running = self.heartbeater.running(job);
        let counted = self.counters.begin(self.encoder(&claim).as_ref());
        let work = async {
            tracing::info!(input = %claim.job().input.location, "claimed");
            match self.trusts(claim.job()).await {
                Ok(Trusted::Yes) => {}
                why => return self.refuse(claim, why, counted).await,
            }
            let lease = Lease::keep(&claim);
            let result = self.attempt(&mut claim, &lease, &stop).await;
            let end = self.conclude(claim, result, counted, &traced).await;
            if let Some(part) = part {
                let _ = tokio::time::timeout(CLEAN_UP, self.clear_after_part(&part)).await;
            }
            end
        };
        // The log's span is the inner one: tasks that the attempt starts take it along.
        work.instrument(named).instrument(traced.clone()).await
    }

    /// Runs the steps until they end, the lease ends or the worker stops.
    async fn attempt(
        &self,
        claim: &mut Claim,
        lease: &Lease,
        stop: &Stop,
    ) -> Result<Report, Unfinished> {
        let expected = Expected::new();
        let broken_off = CancellationToken::new();
        let attempt = self.run_steps(claim, &expected, broken_off.clone());
        let mut attempt = pin!(AssertUnwindSafe(attempt).catch_unwind());
        let why = tokio::select! {
            biased;
            done = &mut attempt => return done.unwrap_or_else(panicked),
            () = lease.over().cancelled() => {
                Unfinished::LeaseEnd(lease.ended().unwrap_or(LeaseEnd::TakenOver))
            }
            () = stop.too_late(&expected) => Unfinished::Stopping,
        };
        broken_off.cancel();
        // The token ends the processes of the steps. The attempt's folder may go only after that.
        match tokio::time::timeout(CLEAN_UP, &mut attempt).await {
            Ok(Ok(Ok(report))) => Ok(report),
            Ok(Ok(Err(kept @ Unfinished::Kept(_)))) => Err(kept),
            _ => Err(why),
        }
    }

    /// Runs the steps. Decides the fault of a failure.
    async fn run_steps(
        &self,
        claim: &mut Claim,
        expected: &Expected,
        broken_off: CancellationToken,
    ) -> Result<Report, Unfinished> {
        let started = Instant::now();
        let steps = Attempt::new(self, claim, expected, broken_off.clone());
        match steps.run().await {
            // The failure of a cancelled attempt needs no judgement: its cause is known.
            Err(Unfinished::Failed(failure)) if !broken_off.is_cancelled() => {
                let judged = self.reach.judge(claim.job(), started, failure).await;
                if judged.of_split && claim.job().id.is_whole() {
                    return Err(Unfinished::Unsplit(judged.message));
                }
                let encoder = self.encoder(claim);
                let resolved = self.resolve_doubt(claim.run(), encoder, judged.clone());
                Err(Unfinished::Failed(tokio::select! {
                    failure = resolved => failure,
                    () = broken_off.cancelled() => judged,
                }))
            }
            ended => ended,
        }
    }

    /// Writes the end of the attempt to the run.
    async fn conclude(
        &self,
        mut claim: Claim,
        result: Result<Report, Unfinished>,
        mut counted: Counted,
        traced: &Span,
    ) -> AttemptEnd {
        let result = match result {
            Err(Unfinished::Failed(failure)) => {
                let appeared = self.clean_up_after(&mut claim).await;
                appeared.unwrap_or(Err(Unfinished::Failed(failure)))
            }
            result => result,
        };
        self.trace_end(traced, &claim, &result);
        match &result {
            Ok(report) => counted.completed(report),
            Err(Unfinished::Failed(failure)) => counted.failed(failure.fault),
            Err(_) => {}
        }
        let end = match &result {
            Ok(_) => AttemptEnd::Completed,
            Err(Unfinished::Failed(failure)) => AttemptEnd::Failed {
                fault: failure.fault,
                by: self.encoder(&claim),
            },
            Err(Unfinished::Kept(report)) if report.why.is_made() => AttemptEnd::Completed,
            Err(_) => AttemptEnd::Gone,
        };
        let written = match result {
            Ok(report) => self.complete(claim, report).await,
            Err(Unfinished::Failed(failure)) => self.fail(claim, failure).await,
            Err(Unfinished::Kept(report)) => {
                tracing::info!(why = report.sentence(), "kept");
                let ended = claim.keep(*report).await;
                if let Ok(run) = &ended {
                    replace::abandon(&self.stores, run).await;
                    self.clear_kept(run).await;
                }
                ended.map(drop)
            }
            Err(Unfinished::Vanished) => {
                tracing::warn!("failed: its last worker vanished, and published nothing");
                let ended = claim.dead_letter().await;
                if let Ok(run) = &ended {
                    replace::abandon(&self.stores, run).await;
                }
                ended.map(drop)
            }
            Err(Unfinished::ClaimError(lost)) => Err(lost),
            Err(Unfinished::Split(parts)) => {
                let parts = u32::try_from(parts).unwrap_or(u32::MAX);
                claim.split(parts).await.map(drop)
            }
            Err(Unfinished::Unsplit(why)) => {
                tracing::warn!(why, "the split is given up: the job is encoded as a whole");
                claim.unsplit(&why).await.map(drop)
            }
            Err(Unfinished::Unfit) => {
                self.leave_chunks(&claim.job().id);
                claim.release().await
            }
            Err(Unfinished::Stopping) => {
                tracing::info!("released: this worker stops");
                claim.release().await
            }
            Err(Unfinished::LeaseEnd(LeaseEnd::TakenOver)) => Err(ClaimError::Elsewhere),
            Err(Unfinished::LeaseEnd(LeaseEnd::Moved)) => {
                tracing::info!("stopped: a person moved the job");
                Ok(())
            }
            Err(Unfinished::LeaseEnd(LeaseEnd::Cancelled)) => {
                tracing::info!("cancelled");
                self.clean_up_after(&mut claim).await;
                if let Err(error) = self.stores.drop_original(claim.job()).await {
                    tracing::warn!(%error, "the trash may hold a source that was not replaced");
                }
                claim.ack().await;
                Ok(())
            }
        };
        match written {
            Ok(()) => {}
            Err(ClaimError::Elsewhere) => {
                tracing::warn!("another worker has the job by now; what was made here is dropped");
            }
            Err(ClaimError::Broker(error)) => {
                tracing::error!(%error, "the broker gave no answer; the lease will run out");
            }
        }
        end
    }

    /// Notes in the attempt's span how it ended.
    fn trace_end(&self, span: &Span, claim: &Claim, result: &Result<Report, Unfinished>) {
        if span.is_disabled() {
            return;
        }
        if let Some(encoder) = self.encoder(claim) {
            spans::note(span, "ffmpeg_easy.encoder", encoder.to_string());
        }
        let outcome = match result {
            Ok(_) => "completed",
            Err(Unfinished::Failed(failure)) => {
                spans::note(span, "error.type", failure.fault.to_string());
                spans::fail(span, failure);
                "failed"
            }
            Err(Unfinished::Kept(_)) => "kept",
            Err(Unfinished::Vanished) => {
                spans::fail(span, "its last worker vanished, and published nothing");
                "failed"
            }
            Err(Unfinished::Split(_)) => "split",
            Err(Unfinished::LeaseEnd(LeaseEnd::Cancelled)) => "cancelled",
            Err(_) => "released",
        };
        spans::note(span, "ffmpeg_easy.outcome", outcome);
    }

    /// Completes the job, and does what follows from that.
    async fn complete(&self, claim: Claim, report: Report) -> Result<(), ClaimError> {
        tracing::info!(
            frames = report.frames,
            fps = report.fps().round(),
            bytes = report.output_size,
            "published"
        );
        let done = claim.record_completed(report).await?;
        self.finish_completed(done).await;
        Ok(())
    }

    /// Does what follows from the completion of a job, and acknowledges its message.
    pub(super) async fn finish_completed(&self, done: CompletedJob) {
        let job = &done.run().job;
        let id = job.id;
        let settled = if !id.is_whole() {
            self.finish_part(done).await
        } else if done.run().may_have_parts() {
            return self.finish_split(done).await;
        } else if job.ladder.is_some() {
            return self.finish_ladder(done).await;
        } else {
            done.ack().await
        };
        if let Err(error) = settled {
            tracing::debug!(job = %id, %error, "not acknowledged; the broker delivers it again");
        }
    }

    /// Ends the attempt as failed.
    async fn fail(&self, claim: Claim, failure: Failure) -> Result<(), ClaimError> {
        tracing::warn!(fault = %failure.fault, %failure, "failed");
        let run = claim.fail(failure).await?;
        if let RunState::Waiting { until, .. } = run.state {
            tracing::info!(%until, "will be tried again");
        }
        // Only now is it certain that no other worker has the job.
        replace::abandon(&self.stores, &run).await;
        Ok(())
    }

    /// Removes the files of an attempt that failed or was cancelled, and makes sure that its output cannot appear any
    /// more. If the output has appeared all the same, returns how the job ends: then the attempt has not failed. If the
    /// store is out of reach, the next attempt looks again.
    async fn clean_up_after(&self, claim: &mut Claim) -> Option<Result<Report, Unfinished>> {
        let run = claim.run();
        if !run.job.kind.writes() {
            return None;
        }
        let cleaned = async {
            staged_file::remove_leftovers(&self.stores, &run.job.output, &run.job.id).await;
            let fence = run.fence.as_ref().filter(|fence| !fence.is_settled)?;
            let found = earlier::abort(&self.stores, &run.job, fence).await;
            let kept = fence.kept.clone().map(|kept| Err(Unfinished::Kept(kept)));
            let ended = kept.or(fence.report.clone().map(|report| Ok(*report)));
            Some((found, ended))
        };
        match tokio::time::timeout(CLEAN_UP, cleaned).await {
            Ok(None) => None,
            Ok(Some((Ok(AtOutput::Ours), Some(Ok(report))))) => {
                let finished = replace::finish(&self.stores, &claim.run().job, report).await;
                // If the source still has its name, the next attempt looks again.
                finished
                    .inspect_err(|error| tracing::warn!(%error, "a source is still there"))
                    .ok()
                    .map(Ok)
            }
            Ok(Some((Ok(AtOutput::Ours), Some(Err(Unfinished::Kept(kept)))))) => {
                let job = &claim.run().job;
                let carried = sidecars::carry_with_copy(&self.stores, job, *kept).await;
                carried
                    .inspect_err(
                        |error| tracing::warn!(%error, "sidecars are not beside the copy yet"),
                    )
                    .ok()
                    .map(|kept| Err(Unfinished::Kept(Box::new(kept))))
            }
            Ok(Some((Ok(AtOutput::Ours), ended))) => ended,
            Ok(Some((Ok(_), _))) => {
                claim.mark_fence_settled();
                None
            }
            Ok(Some((Err(error), _))) => {
                tracing::warn!(%error, "an output may still appear");
                None
            }
            Err(_) => {
                tracing::warn!("the store gives no answer: an output may still appear");
                None
            }
        }
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Result<Report, Unfinished> {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Err(Failure::worker(format!("this worker has a bug: {text}")).into())
}
