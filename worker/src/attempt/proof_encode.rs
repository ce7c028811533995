//! The proof encode: an encode of known material that tells whether this machine is sound. It uses the same ffmpeg,
//! sandbox and scratch disk as a job, and its output is probed and decoded like a job's. If it passes, the jobs that
//! failed here are at fault.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::job::failure::{Doubt, Failure, Fault};
use common::job::run::Run;
use common::matching::fit;
use common::recipe::encoder::{Encoder, EncoderKind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::capabilities;
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::report::load::free_space;

/// How long one proof encode may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// A scratch disk with fewer free bytes counts as full.
const ROOM: u64 = 16 << 20;

impl Executor {
    /// Decides the fault of a failed attempt whose video `encoder` was to encode.
    pub(crate) async fn resolve_doubt(
        &self,
        run: &Run,
        encoder: Option<Encoder>,
        failure: Failure,
    ) -> Failure {
        let failed = Instant::now();
        let Some(doubt) = failure.doubt else {
            return failure;
        };
        // A hardware encoder proves less: drivers have faults, and one device may refuse an input that another
        // accepts.
        let is_software = encoder
            .as_ref()
            .is_none_or(|encoder| encoder.kind() == EncoderKind::Software);
        if let Err(why) = self.proved_since(failed, encoder).await {
            let message = format!("{failure}; a proof encode failed, too: {why}");
            return Failure { message, ..failure }.settled(Fault::Worker);
        }
        let has_failed_alike = run.failed_alike_on(&failure).next().is_some();
        let has_elsewhere = run
            .failed_alike_on(&failure)
            .any(|worker| *worker != self.name);
        let is_inputs = match doubt {
            Doubt::Proof if is_software => true,
            Doubt::Repetition if is_software && has_failed_alike => {
                has_elsewhere || !self.another_takes(run).await
            }
            _ => has_elsewhere,
        };
        failure.settled(if is_inputs {
            Fault::Input
        } else {
            Fault::Worker
        })
    }

    /// Whether another live worker takes jobs like this one now: its attempt says more than a second one here.
    async fn another_takes(&self, run: &Run) -> bool {
        let Ok(workers) = self.broker.workers().await else {
            return true;
        };
        workers
            .iter()
            .filter(|worker| worker.name != self.name)
            .any(|worker| fit::takes(worker, &run.job, &run.queue).is_ok())
    }

    /// The result of a proof encode that began after the failure.
    async fn proved_since(&self, failed: Instant, encoder: Option<Encoder>) -> Result<(), String> {
        // Failures that come during a proof encode wait here, and share the next one.
        let mut passed = self.proofs.lock().await;
        if passed.get(&encoder).is_some_and(|began| *began > failed) {
            return Ok(());
        }
        let began = Instant::now();
        self.prove_itself(encoder.iter().cloned().collect()).await?;
        passed.insert(encoder, began);
        Ok(())
    }

    /// Makes a proof encode with each of these encoders that is proved here. If none is, makes one without an
    /// encoder.
    ///
    /// # Errors
    /// The reason why a proof encode failed.
    pub(crate) async fn prove_itself(&self, mut encoders: Vec<Encoder>) -> Result<(), String> {
        let card = Arc::clone(&self.card.borrow());
        encoders.retain(|encoder| card.proof(encoder).is_some());
        if encoders.is_empty() {
            return self.encode_for_proof(None).await;
        }
        for encoder in encoders {
            let proof = card.proof(&encoder).map(|proof| (&encoder, proof));
            self.encode_for_proof(proof)
                .await
                .map_err(|why| format!("{encoder}: {why}"))?;
        }
        Ok(())
    }

    /// Detects the encoders of this machine again, and makes a proof encode with each of `encoders` that still works.
    /// If they pass, the new capability card takes effect.
    ///
    /// # Errors
    /// The reason why the machine is not sound yet.
    pub(super) async fn detect_again(&self, mut encoders: Vec<Encoder>) -> Result<(), String> {
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

    async fn encode_for_proof(
        &self,
        with: Option<(&Encoder, &common::farm::card::Proof)>,
    ) -> Result<(), String> {
        if let Some(free) = free_space(self.scratch.path())
            && free < ROOM
        {
            return Err(format!("only {free} bytes are free for scratch files"));
        }
        let folder = self
            .scratch
            .proof()
            .map_err(|error| format!("no scratch folder can be made: {error}"))?;
        let output = folder.work_path().join("proof.nut");
        let stop = CancellationToken::new();
        let runner = self
            .confined(Vec::new(), Vec::new(), folder.path(), stop.clone())
            .writing(folder.work_path());
        let arguments = capabilities::proof_encode(with, &output);
        let _stop = stop.drop_guard();
        let encode = runner.ffmpeg(&arguments, Origin::Local, |_| {});
        match tokio::time::timeout(PATIENCE, encode).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => return Err(failure.to_string()),
            Err(_) => return Err(format!("it did not end within {} s", PATIENCE.as_secs())),
        }
        match std::fs::symlink_metadata(&output) {
            Ok(made) if made.is_file() && made.len() > 0 => {}
            Ok(_) => return Err("it made no output".to_owned()),
            Err(error) => return Err(format!("it made no output: {error}")),
        }
        match tokio::time::timeout(PATIENCE, look(&runner.reading(&output), &output)).await {
            Ok(looked) => looked,
            Err(_) => Err(format!(
                "its check did not end within {} s",
                PATIENCE.as_secs()
            )),
        }
    }
}

/// Checks that the output of a proof encode can be probed, and decoded to the last frame.
async fn look(runner: &Runner, output: &Path) -> Result<(), String> {
    let output = Source::File(output.to_owned());
    let unreadable = |failure: Failure| format!("its output cannot be read: {failure}");
    probe(runner, &output).await.map_err(unreadable)?;
    let counted = count(runner, &output, 0, Count::Frames)
        .await
        .map_err(unreadable)?;
    let wanted = u64::from(capabilities::PROOF_FRAMES);
    if counted.frames == wanted {
        return Ok(());
    }
    Err(format!(
        "its output has {} frames of {wanted}",
        counted.frames
    ))
}
