//! Whether this machine is well: an encode of the worker's own, made as a job's
//! is, with the same ffmpeg, sandbox and scratch disk, and looked at as a job's
//! output is. Where it passes, the jobs that failed here are at fault.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::job::failure::{Doubt, Failure, Fault};
use common::job::run::Run;
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

/// How long one such encode may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Less than this is left of a scratch disk that is full, in bytes.
const ROOM: u64 = 16 << 20;

impl Executor {
    /// Settles whose fault it was that an attempt failed which `encoder` was to encode.
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
        // Drivers lie, and a device may refuse what another one takes.
        let is_software = encoder
            .as_ref()
            .is_none_or(|encoder| encoder.kind() == EncoderKind::Software);
        if let Err(why) = self.proved_since(failed, encoder).await {
            let message = format!("{failure}; an encode of this worker's own fails, too: {why}");
            return Failure { message, ..failure }.settled(Fault::Worker);
        }
        let mut alike = run.failed_alike_on(&failure);
        let is_inputs = match doubt {
            Doubt::Proof if is_software => true,
            Doubt::Repetition if is_software => alike.next().is_some(),
            _ => alike.any(|worker| *worker != self.name),
        };
        drop(alike);
        failure.settled(if is_inputs {
            Fault::Input
        } else {
            Fault::Worker
        })
    }

    /// How an encode of its own goes that begins after a failure.
    async fn proved_since(&self, failed: Instant, encoder: Option<Encoder>) -> Result<(), String> {
        // Failures that come meanwhile wait, and share the next one.
        let mut passed = self.proofs.lock().await;
        if passed.get(&encoder).is_some_and(|began| *began > failed) {
            return Ok(());
        }
        let began = Instant::now();
        self.prove_itself(encoder.iter().cloned().collect()).await?;
        passed.insert(encoder, began);
        Ok(())
    }

    /// Makes an encode with each of these encoders, as far as they are proved
    /// here; one without any encoder where none of them is.
    ///
    /// # Errors
    /// What went wrong.
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

    /// Finds out anew what this machine can do, and makes an encode with each of these encoders that it still can use.
    /// What was found holds where that passes.
    ///
    /// # Errors
    /// What went wrong: then the machine is not well yet.
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
            .confined(Vec::new(), false, folder.path(), stop.clone())
            .writing(folder.work_path());
        let arguments = capabilities::proof_encode(with, &output);
        let _stop = stop.drop_guard();
        let encode = runner.ffmpeg(&arguments, Origin::Local, |_| {});
        match tokio::time::timeout(PATIENCE, encode).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => return Err(failure.to_string()),
            Err(_) => return Err(format!("no end within {} s", PATIENCE.as_secs())),
        }
        match std::fs::symlink_metadata(&output) {
            Ok(made) if made.is_file() && made.len() > 0 => {}
            Ok(_) => return Err("it brought out nothing".to_owned()),
            Err(error) => return Err(format!("it brought out nothing: {error}")),
        }
        match tokio::time::timeout(PATIENCE, look(&runner.reading(&output), &output)).await {
            Ok(looked) => looked,
            Err(_) => Err(format!("no look at it within {} s", PATIENCE.as_secs())),
        }
    }
}

/// Whether the output of such an encode can be read, and decoded to the last frame.
async fn look(runner: &Runner, output: &Path) -> Result<(), String> {
    let output = Source::File(output.to_owned());
    let told = |failure: Failure| format!("its output cannot be read: {failure}");
    probe(runner, &output).await.map_err(told)?;
    let counted = count(runner, &output, 0, Count::Frames)
        .await
        .map_err(told)?;
    let wanted = u64::from(capabilities::PROOF_FRAMES);
    if counted.frames == wanted {
        return Ok(());
    }
    Err(format!(
        "its output has {} frames of {wanted}",
        counted.frames
    ))
}
