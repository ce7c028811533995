//! What every job of a worker shares, and what a worker does with jobs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, Claim};
use common::farm::card::{Capabilities, Proof};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::run::Run;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use common::store::Stores;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::attempt::proofs::ProofEncodes;
use crate::attempt::publish::earlier;
use crate::attempt::scratch::Scratch;
use crate::capabilities::Detection;
use crate::cli::config::{ReadMode, Verify};
use crate::ffmpeg::run::Limits;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::{Source, Tools};
use crate::report::heartbeat::Heartbeater;
use crate::sandbox::Sandbox;
use crate::work::reach::Reach;
use crate::work::stop::Stop;
use crate::work::{AttemptEnd, Work};

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
    pub program: Option<PathBuf>,
    /// How inputs in an object store are read.
    pub read: ReadMode,
    /// How much of an output is decoded before it is published.
    pub verify: Verify,
    /// How long ffmpeg may make no progress.
    pub stall_timeout: Duration,
    /// How its own encodes went of late.
    pub proofs: ProofEncodes,
}

impl Work for Executor {
    async fn execute(&self, claim: Claim, stop: Stop) -> AttemptEnd {
        self.take_to_its_end(claim, stop).await
    }

    async fn clean_up(&self, run: &Run) {
        earlier::clean_up(&self.stores, run).await;
    }

    async fn prove(&self, encoders: Vec<Encoder>) -> Result<(), String> {
        self.prove_itself(encoders).await
    }

    async fn prove_again(&self, encoders: Vec<Encoder>) -> Result<(), String> {
        self.detect_again(encoders).await
    }
}

impl Executor {
    /// What a job's video is encoded with here; `None` where it is copied, or cannot be encoded.
    pub(super) fn encoder(&self, claim: &Claim) -> Option<Encoder> {
        let card = Arc::clone(&self.card.borrow());
        let chosen = choose(&card, &claim.job().recipe, &claim.lane().queue);
        chosen.ok().flatten().map(|(encoder, _)| encoder.clone())
    }

    /// What reads a job's input, and may write nowhere.
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
        read: Vec<PathBuf>,
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
