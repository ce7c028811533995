//! One job, from its input to its published output:
//!
//! ```text
//! look → read → probe → encode → gate → prepare → fence → commit → complete
//! ```
//!
//! The look is at what an earlier attempt was about to publish, where one got so
//! far: it may be there.
//!
//! Each step either goes on, fails the attempt, or is broken off because the
//! job is no longer ours or the worker has to stop.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, Claim, Ended, Lease, Lost};
use common::farm::card::{Capabilities, Proof};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::progress::EncodeProgress;
use common::job::run::fence::Fence;
use common::job::run::report::Report;
use common::job::run::{Run, RunState, Stage};
use common::names::digest::Digest;
use common::recipe::encoder::Encoder;
use common::recipe::{Captions, Recipe};
use common::store::Stores;
use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::proof_encode::ProofEncodes;
use crate::attempt::publish::attributes::Attributes;
use crate::attempt::publish::staged::{AtOutput, Staged};
use crate::attempt::publish::{staged, staged_file};
use crate::attempt::scratch::Scratch;
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::damage::Inspected;
use crate::attempt::verify::gate;
use crate::attempt::{changes, input};
use crate::capabilities;
use crate::capabilities::Detection;
use crate::config::{ReadMode, Verify};
use crate::ffmpeg::build::Build;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::run::Limits;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Finished, Runner, Sign};
use crate::ffmpeg::tracks::extras;
use crate::ffmpeg::{Source, Tools, arguments, probe};
use crate::reach::{Need, Reach};
use crate::report::heartbeat::Heartbeater;
use crate::report::progress::Reporter;
use crate::sandbox::Sandbox;
use crate::stop::{Expected, Stop};
use crate::work::{AttemptEnd, Work};

/// Lines of ffmpeg's log that are passed on in a second, at the most.
const LOG_LINES: u32 = 50;
/// How long an attempt that is broken off, or has failed, may take to clean up.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// What every job of this worker shares.
pub struct Executor {
    /// The farm.
    pub broker: Broker,
    /// The media.
    pub stores: Stores,
    /// ffmpeg and ffprobe.
    pub tools: Tools,
    /// What this worker has proved.
    pub card: watch::Receiver<Arc<Capabilities>>,
    /// Where what it proves anew goes.
    pub cards: watch::Sender<Arc<Capabilities>>,
    /// How to prove it.
    pub detection: Detection,
    /// Which places it can reach.
    pub reach: Arc<Reach>,
    /// Where files are made.
    pub scratch: Scratch,
    /// What the farm hears of this worker.
    pub heartbeater: Arc<Heartbeater>,
    /// This worker's name.
    pub name: WorkerName,
    /// This program, to confine ffmpeg with.
    pub program: Option<std::path::PathBuf>,
    /// How inputs in an object store are read.
    pub read: ReadMode,
    /// How much of an output is decoded before it is published.
    pub verify: Verify,
    /// How long ffmpeg may make no progress.
    pub stall_timeout: Duration,
    /// How its own encodes went of late.
    pub proofs: ProofEncodes,
}

/// How an attempt ended, when it was not broken off.
enum Attempted {
    /// The output is published.
    Published(Box<Report>),
    /// It failed.
    Failed(Failure),
    /// What it was made to look for has not appeared.
    Vanished,
    /// The job turned out to be no longer ours.
    Lost(Lost),
}

impl From<Failure> for Attempted {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Lost> for Attempted {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

/// Why an attempt is broken off.
enum Interruption {
    Ended(Ended),
    Stopping,
}

impl Work for Executor {
    async fn execute(&self, claim: Claim, stop: Stop) -> AttemptEnd {
        self.take_to_its_end(claim, stop).await
    }

    async fn clean_up(&self, run: &Run) {
        staged::clean_up(&self.stores, run).await;
    }

    async fn prove(&self, encoders: Vec<Encoder>) -> Result<(), String> {
        self.prove_itself(encoders).await
    }

    async fn prove_again(&self, mut encoders: Vec<Encoder>) -> Result<(), String> {
        let detected = tokio::time::timeout(
            capabilities::LONGEST,
            capabilities::detect_again(&self.detection),
        );
        let card = match detected.await {
            Ok(Ok(card)) => card,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => {
                return Err(format!(
                    "its encoders were not tried out within {:?}",
                    capabilities::LONGEST
                ));
            }
        };
        encoders.retain(|encoder| card.proof(encoder).is_some());
        self.prove_itself(encoders).await?;
        let before = Arc::clone(&self.card.borrow());
        let lost = before.proved().map(|(encoder, _)| encoder.as_str());
        let lost: Vec<&str> = lost
            .filter(|name| !card.proved().any(|(encoder, _)| encoder.as_str() == *name))
            .collect();
        if lost.is_empty() {
            tracing::info!("every encoder has passed again");
        } else {
            tracing::error!(lost = %lost.join(" "), "no longer proved: their jobs are left to others");
        }
        self.cards.send_replace(Arc::new(card));
        Ok(())
    }
}

impl Executor {
    /// Takes a claimed job to its end, or gives it back.
    async fn take_to_its_end(&self, mut claim: Claim, stop: Stop) -> AttemptEnd {
        let job = claim.job().id;
        let attempt = claim.run().attempt;
        let span = tracing::info_span!("job", %job, attempt);
        let _running = self.heartbeater.running(job);
        let work = async {
            tracing::info!(input = %claim.job().input.location, "claimed");
            let lease = Lease::keep(&claim);
            let expected = Expected::new();
            let broken_off = CancellationToken::new();
            let outcome = {
                let attempt = self.attempt(&mut claim, &expected, broken_off.clone());
                let mut attempt = pin!(AssertUnwindSafe(attempt).catch_unwind());
                let interruption = tokio::select! {
                    biased;
                    done = &mut attempt => Ok(done.unwrap_or_else(panicked)),
                    () = lease.over().cancelled() => {
                        Err(Interruption::Ended(lease.ended().unwrap_or(Ended::TakenOver)))
                    }
                    () = stop.too_late(&expected) => Err(Interruption::Stopping),
                };
                match interruption {
                    Ok(outcome) => Ok(outcome),
                    Err(why) => {
                        broken_off.cancel();
                        // What it was doing ends by the token; only then may its folder go.
                        match tokio::time::timeout(CLEAN_UP, &mut attempt).await {
                            Ok(Ok(Attempted::Published(report))) => {
                                Ok(Attempted::Published(report))
                            }
                            _ => Err(why),
                        }
                    }
                }
            };
            self.conclude(claim, outcome).await
        };
        tracing::Instrument::instrument(work, span).await
    }

    /// Writes down how it ended.
    async fn conclude(
        &self,
        mut claim: Claim,
        outcome: Result<Attempted, Interruption>,
    ) -> AttemptEnd {
        let outcome = match outcome {
            Ok(Attempted::Failed(failure)) => Ok(self
                .clean_up_after(&mut claim)
                .await
                .unwrap_or(Attempted::Failed(failure))),
            outcome => outcome,
        };
        let ended = match &outcome {
            Ok(Attempted::Published(_)) => AttemptEnd::Completed,
            Ok(Attempted::Failed(failure)) => AttemptEnd::Failed {
                fault: failure.fault,
                by: self.encoder(&claim),
            },
            _ => AttemptEnd::Gone,
        };
        let written = match outcome {
            Ok(Attempted::Published(report)) => {
                tracing::info!(
                    frames = report.frames,
                    fps = report.fps().round(),
                    bytes = report.output_size,
                    "published"
                );
                claim.complete(*report).await.map(drop)
            }
            Ok(Attempted::Failed(failure)) => {
                tracing::warn!(fault = %failure.fault, %failure, "failed");
                claim.fail(failure).await.map(|run| {
                    if let RunState::Waiting { until, .. } = run.state {
                        tracing::info!(%until, "will be tried again");
                    }
                })
            }
            Ok(Attempted::Vanished) => {
                tracing::warn!("failed: its last worker vanished, and published nothing");
                claim.bury().await.map(drop)
            }
            Ok(Attempted::Lost(lost)) => Err(lost),
            Err(Interruption::Stopping) => {
                tracing::info!("given back: this worker stops");
                claim.hand_back().await
            }
            Err(Interruption::Ended(Ended::TakenOver)) => Err(Lost::Elsewhere),
            Err(Interruption::Ended(Ended::Moved)) => {
                tracing::info!("taken away: it is to be done elsewhere");
                Ok(())
            }
            Err(Interruption::Ended(Ended::Cancelled)) => {
                tracing::info!("cancelled");
                self.clean_up_after(&mut claim).await;
                claim.let_go().await;
                Ok(())
            }
        };
        match written {
            Ok(()) => {}
            Err(Lost::Elsewhere) => {
                tracing::warn!("the job is another worker's by now; what was made here is dropped");
            }
            Err(Lost::Broker(error)) => {
                tracing::error!(%error, "the broker gave no answer; the lease will run out");
            }
        }
        ended
    }

    /// Nothing is to be left of an attempt that failed or was cancelled, nor to
    /// appear by it. Where its output has appeared all the same, it has not
    /// failed. Where the store is out of reach, that is the next attempt's to find out.
    async fn clean_up_after(&self, claim: &mut Claim) -> Option<Attempted> {
        let run = claim.run();
        let settled = async {
            staged_file::remove_leftovers(&self.stores, &run.job.output, &run.job.id).await;
            let fence = run.fence.as_ref().filter(|fence| !fence.is_settled)?;
            let there = staged::abort_earlier(&self.stores, &run.job.output, fence).await;
            Some((there, fence.report.clone()))
        };
        match tokio::time::timeout(CLEAN_UP, settled).await {
            Ok(None) => None,
            Ok(Some((Ok(AtOutput::Ours), report))) => Some(Attempted::Published(report)),
            Ok(Some((Ok(_), _))) => {
                claim.mark_settled();
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

    /// What a job's video is encoded with here; `None` where it is copied, or cannot be encoded.
    fn encoder(&self, claim: &Claim) -> Option<Encoder> {
        let card = Arc::clone(&self.card.borrow());
        let chosen = choose(&card, &claim.job().recipe, &claim.lane().queue);
        chosen.ok().flatten().map(|(encoder, _)| encoder.clone())
    }

    async fn attempt(
        &self,
        claim: &mut Claim,
        expected: &Expected,
        broken_off: CancellationToken,
    ) -> Attempted {
        let started = Instant::now();
        match self.steps(claim, expected, broken_off.clone()).await {
            Ok(report) => Attempted::Published(Box::new(report)),
            // Who broke it off knows why.
            Err(Attempted::Failed(failure)) if !broken_off.is_cancelled() => {
                let judged = self.reach.judge(claim.job(), started, failure).await;
                let encoder = self.encoder(claim);
                tokio::select! {
                    settled = self.resolve_doubt(claim.run(), encoder, judged.clone()) => {
                        Attempted::Failed(settled)
                    }
                    () = broken_off.cancelled() => Attempted::Failed(judged),
                }
            }
            Err(ended) => ended,
        }
    }

    async fn steps(
        &self,
        claim: &mut Claim,
        expected: &Expected,
        broken_off: CancellationToken,
    ) -> Result<Report, Attempted> {
        let started = Instant::now();
        let job = claim.job().clone();
        let attempt = claim.run().attempt;
        let reporter = Reporter::new(self.broker.clone(), self.name.clone(), job.id, attempt);
        reporter.report(Stage::Reading, None, None, None).await;
        input::differs(&self.stores, &job).await?;
        if let Some(report) = self.look_back(claim).await? {
            return Ok(report);
        }
        let scratch = self
            .scratch
            .attempt(&job.id, attempt)
            .map_err(|error| Failure::worker(format!("no scratch folder can be made: {error}")))?;
        // With captions it is read twice, at two places at once.
        let read = match job.recipe.captions {
            Captions::Srt => ReadMode::Download,
            Captions::Keep => self.read,
        };
        let source = tokio::select! {
            opened = input::open(&self.stores, &job.input, read, scratch.path(), &|_| {}) => opened?,
            () = broken_off.cancelled() => {
                return Err(Failure::passing("broken off while reading").into());
            }
        };
        self.reach.seen(&job.input.location);
        let attributes = Attributes::at(&self.stores, &job.input.location).await;
        let runner = self.runner(&source, scratch.path(), broken_off.clone());
        let mut media = probe::probe(&runner, &source).await?;
        let card = Arc::clone(&self.card.borrow());
        let choice = choose(&card, &job.recipe, &claim.lane().queue)?;
        let name = format!("output.{}", job.recipe.container);
        let work = scratch.work_path();
        let build = Build::of(&card);
        let output = work.join(&name);
        let writing = runner.writing(work);
        let arguments = loop {
            let arguments =
                arguments::encode(&job.recipe, &media, choice, &build, &source, &output)?;
            let missing = extras::bring(&writing, &source, &arguments).await?;
            if missing.is_empty() {
                break arguments;
            }
            media.leave_out(&missing, "ffmpeg cannot read the picture");
        };
        changes::refuse(&job.recipe, &arguments.changes, "it would lose")?;
        let inspected = Inspected {
            runner: &runner,
            source: &source,
            media: &media,
            tracks: &arguments.tracks,
        };
        inspected.is_whole().await?;

        reporter
            .report(Stage::Encoding, Some(0.0), None, None)
            .await;
        let encoded = self
            .encode(
                &writing,
                &arguments.list,
                &source,
                &media,
                expected,
                &reporter,
            )
            .await;
        let encoded = inspected.came_to_something(encoded).await?;

        // Nothing that the encode started is alive any more.
        let made = ToolOutput::take(&scratch, &name)?;
        made.finish(&arguments.finish)?;
        reporter.report(Stage::Verifying, None, None, None).await;
        let depth = match self.verify {
            Verify::Full => gate::Depth::Full,
            Verify::Sample => gate::Depth::Sample(Duration::from_secs(10)),
        };
        let checked = gate::check(
            inspected,
            &job.recipe,
            &arguments,
            &made,
            depth,
            &encoded.complaints,
        )
        .await?;

        reporter
            .report(Stage::Publishing, Some(0.0), None, None)
            .await;
        let size = checked.size;
        let moved = Relay::new(&reporter, move |bytes: u64| {
            Some(bytes as f32 / (size as f32).max(1.0))
        });
        let digest = digest(&made).await?;
        loop {
            let since = Instant::now();
            match input::unchanged(&self.stores, &job.input).await {
                Ok(()) => break,
                Err(failure) => {
                    let (reach, input) = (&self.reach, Need::read(&job.input.location));
                    reach
                        .outlast(input, since, failure, &reporter, &broken_off)
                        .await?;
                }
            }
        }
        if let Some(attributes) = attributes {
            attributes.give(made.file());
        }
        let mut refused = 0;
        let prepared = loop {
            let since = Instant::now();
            let on_bytes = |bytes| moved.tell(bytes);
            let attempt = (&job.id, attempt);
            let to = &job.output;
            match staged::stage(&self.stores, &made, to, attempt, &on_bytes, &broken_off).await {
                Ok(prepared) => break prepared,
                // A finished encode is kept until its place is back.
                Err(error) => {
                    let mut output = Need::write(&job.output, size);
                    if error.lacks_room() {
                        refused += 1;
                        output = output.refused(refused);
                    }
                    let failure = input::failure(error);
                    self.reach
                        .outlast(output, since, failure, &reporter, &broken_off)
                        .await?;
                }
            }
        };
        self.reach.written(&job.output);
        let report = Report {
            worker: self.name.clone(),
            encoder: choice.map(|(encoder, _)| encoder.clone()),
            input_size: job.input.size,
            output_size: checked.size,
            frames: checked.frames,
            duration: checked.duration,
            input_media: Some(media.info()),
            output_media: Some(checked.media.info()),
            encode_seconds: encoded.elapsed.as_secs_f64(),
            total_seconds: started.elapsed().as_secs_f64(),
            changes: checked.changes,
            warnings: Vec::new(),
        };
        let fence = Fence {
            by: prepared.means(),
            size: checked.size,
            digest,
            is_settled: false,
            report: Box::new(report),
        };
        self.publish(claim, prepared, fence.clone()).await?;
        Ok(Report {
            total_seconds: started.elapsed().as_secs_f64(),
            ..*fence.report
        })
    }

    /// Finds out what has become of the output that an earlier attempt was about
    /// to publish; where it is there, the job is done, and this is its report.
    async fn look_back(&self, claim: &mut Claim) -> Result<Option<Report>, Attempted> {
        let run = claim.run();
        let Some(fence) = run.fence.clone() else {
            return Ok(None);
        };
        let output = run.job.output.clone();
        let (is_last, is_settled) = (run.only_looks(), fence.is_settled);
        match staged::abort_earlier(&self.stores, &output, &fence).await? {
            AtOutput::Ours => {
                tracing::info!("an earlier attempt has published it");
                return Ok(Some(*fence.report));
            }
            AtOutput::Foreign if !run.job.replace => return Err(staged::occupied(&output).into()),
            _ if is_last => return Err(Attempted::Vanished),
            AtOutput::Nothing | AtOutput::Foreign => {}
        }
        if !is_settled {
            claim.settle().await?;
        }
        Ok(None)
    }

    /// Makes the output appear behind the fence, which is renewed as long as
    /// that takes.
    async fn publish(
        &self,
        claim: &mut Claim,
        prepared: Staged,
        fence: Fence,
    ) -> Result<(), Attempted> {
        let job = claim.job().clone();
        let every = claim.renewal();
        let written = Instant::now();
        let mut fenced = claim.fence(fence.clone()).await;
        // One that took long says little of who owns the job now.
        while fenced.is_ok() && written.elapsed() >= every {
            let renewed = Instant::now();
            fenced = claim.renew_fence().await;
            if renewed.elapsed() < every {
                break;
            }
        }
        if let Err(lost) = fenced {
            prepared.discard().await;
            return Err(lost.into());
        }
        let renewals = async {
            loop {
                tokio::time::sleep(every).await;
                match claim.renew_fence().await {
                    Ok(()) => {}
                    // Whoever takes the job over meanwhile settles what this one is about to do.
                    Err(Lost::Broker(error)) => tracing::warn!(%error, "the fence is not renewed"),
                    Err(lost @ Lost::Elsewhere) => return lost,
                }
            }
        };
        tokio::select! {
            done = prepared.commit(&self.stores, &job.output, &fence, job.replace) => Ok(done?),
            lost = renewals => Err(lost.into()),
        }
    }

    pub(crate) fn runner(
        &self,
        source: &Source,
        scratch: &Path,
        stop: CancellationToken,
    ) -> Runner {
        let read = match source {
            Source::File(path) => vec![path.clone()],
            Source::Url(_) => Vec::new(),
        };
        self.confined(read, source.is_remote(), scratch, stop)
    }

    /// ffmpeg as jobs run it.
    pub(crate) fn confined(
        &self,
        read: Vec<std::path::PathBuf>,
        network: bool,
        scratch: &Path,
        stop: CancellationToken,
    ) -> Runner {
        Runner {
            tools: self.tools.clone(),
            sandbox: Sandbox {
                program: self.program.clone(),
                read,
                home: scratch.to_owned(),
                writes: false,
                network,
            },
            limits: Limits {
                stall: self.stall_timeout,
                ..Limits::default()
            },
            stop,
        }
    }

    /// Runs ffmpeg and passes on how far it is.
    async fn encode(
        &self,
        runner: &Runner,
        arguments: &[std::ffi::OsString],
        source: &Source,
        media: &Media,
        expected: &Expected,
        reporter: &Reporter,
    ) -> Result<Finished, Failure> {
        reporter.command(runner.command_line(arguments)).await;
        let (send, mut updates) = mpsc::unbounded_channel();
        let duration = media.likely_duration();
        let mut second = (Instant::now(), 0);
        let run = runner.ffmpeg(arguments, Origin::of(source), move |sign| {
            let update = match sign {
                Sign::Progress(progress) => Ok(progress),
                Sign::Log(line) => {
                    if second.0.elapsed() > Duration::from_secs(1) {
                        second = (Instant::now(), 0);
                    }
                    second.1 += 1;
                    // A hostile input may have ffmpeg say a million things.
                    if second.1 > LOG_LINES {
                        return;
                    }
                    Err(line.to_owned())
                }
            };
            // The receiver lives as long as this does.
            let _ = send.send(update);
        });
        let tell = async {
            while let Some(update) = updates.recv().await {
                let progress = match update {
                    Ok(progress) => progress,
                    Err(line) => {
                        reporter.log(line).await;
                        continue;
                    }
                };
                let (fraction, eta) = outlook(&progress, duration);
                if let Some(eta) = eta {
                    expected.set(Instant::now() + Duration::from_secs_f32(eta));
                }
                reporter
                    .report(Stage::Encoding, fraction, Some(progress), eta)
                    .await;
            }
        };
        let (finished, ()) = tokio::join!(run, tell);
        finished
    }
}

/// The digest of a verified output.
async fn digest(made: &ToolOutput) -> Result<Digest, Failure> {
    let failed = |error| Failure::worker(format!("cannot read what ffmpeg made: {error}"));
    let file = made.file().try_clone().map_err(failed)?;
    tokio::task::spawn_blocking(move || Digest::of_file(&file))
        .await
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(failed)
}

/// What to encode with: never anything that was not proved here.
pub(crate) fn choose<'a>(
    card: &'a Capabilities,
    recipe: &Recipe,
    queue: &Queue,
) -> Result<Option<(&'a Encoder, &'a Proof)>, Failure> {
    let Some(encode) = recipe.video_encode() else {
        return Ok(None);
    };
    card.chosen(&encode.with, queue)
        .map(Some)
        .ok_or_else(|| Failure::worker(format!("{} is not proved on this worker", encode.with)))
}

/// How much is done, and how many seconds are left, as far as can be told.
fn outlook(progress: &EncodeProgress, duration: Option<f64>) -> (Option<f32>, Option<f32>) {
    let Some(duration) = duration.filter(|duration| *duration > 0.0) else {
        return (None, None);
    };
    let fraction = (progress.time / duration).clamp(0.0, 1.0) as f32;
    let left = (duration - progress.time).max(0.0) as f32;
    let eta = (progress.speed > 0.0).then(|| (left / progress.speed).min(1e7));
    (Some(fraction), eta)
}

/// Passes counts of bytes on as progress of the publishing stage, from where
/// nothing can wait.
struct Relay<F> {
    send: mpsc::UnboundedSender<f32>,
    share: F,
}

impl<F: Fn(u64) -> Option<f32>> Relay<F> {
    fn new(reporter: &Reporter, share: F) -> Self {
        let (send, mut shares) = mpsc::unbounded_channel();
        let reporter = reporter.clone();
        tokio::spawn(async move {
            while let Some(share) = shares.recv().await {
                reporter
                    .report(Stage::Publishing, Some(share), None, None)
                    .await;
            }
        });
        Self { send, share }
    }

    fn tell(&self, bytes: u64) {
        if let Some(share) = (self.share)(bytes) {
            let _ = self.send.send(share);
        }
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Attempted {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Attempted::Failed(Failure::worker(format!("this worker has a bug: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlook_needs_a_length_and_a_speed() {
        let progress = EncodeProgress {
            time: 15.0,
            speed: 2.0,
            ..Default::default()
        };
        assert_eq!(outlook(&progress, None), (None, None));
        assert_eq!(outlook(&progress, Some(60.0)), (Some(0.25), Some(22.5)));
        let still = EncodeProgress {
            time: 15.0,
            ..Default::default()
        };
        assert_eq!(outlook(&still, Some(60.0)), (Some(0.25), None));
        assert_eq!(outlook(&progress, Some(10.0)), (Some(1.0), Some(0.0)));
    }
}
