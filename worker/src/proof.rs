//! Whether this machine is well: an encode of the worker's own, made as a job's
//! is, with the same ffmpeg, sandbox and scratch disk. Where it passes, the jobs
//! that failed here are at fault.

use std::sync::Arc;
use std::time::Duration;

use common::encoder::Encoder;
use tokio_util::sync::CancellationToken;

use crate::card;
use crate::executor::Executor;
use crate::ffmpeg::fault::Origin;
use crate::meter::free_space;

/// How long one such encode may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Less than this is left of a scratch disk that is full, in bytes.
const ROOM: u64 = 16 << 20;

impl Executor {
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

    async fn encode_for_proof(
        &self,
        with: Option<(&Encoder, &common::card::Proof)>,
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
        let arguments = card::proof_encode(with, &output);
        let _stop = stop.drop_guard();
        let encode = runner.ffmpeg(&arguments, Origin::Local, |_| {});
        match tokio::time::timeout(PATIENCE, encode).await {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => return Err(failure.to_string()),
            Err(_) => return Err(format!("no end within {} s", PATIENCE.as_secs())),
        }
        match std::fs::symlink_metadata(&output) {
            Ok(made) if made.is_file() && made.len() > 0 => Ok(()),
            Ok(_) => Err("it brought out nothing".to_owned()),
            Err(error) => Err(format!("it brought out nothing: {error}")),
        }
    }
}
