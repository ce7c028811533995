//! The resources that all attempts share, and the work that a worker does with jobs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, Claim, CompletedJob};
use common::farm::card::{Capabilities, Proof};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use common::job::run::Run;
use common::matching::encoder;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use common::store::Stores;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::attempt::outlines::Outlines;
use crate::attempt::proofs::ProofEncodes;
use crate::attempt::publish::earlier;
use crate::attempt::scratch::Scratch;
use crate::capabilities::Detection;
use crate::cli::config::{ReadMode, Verify};
use crate::ffmpeg::run::Limits;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::{Source, Tools};
use crate::report::heartbeat::Heartbeater;
use crate::sandbox::{Sandbox, Wrapper};
use crate::work::reach::Reach;
use crate::work::stop::Stop;
use crate::work::unfit::Unfit;
use crate::work::{AttemptEnd, Work};

pub struct Executor {
    pub broker: Broker,
    pub stores: Stores,
    pub tools: Tools,
    /// The capability card in force.
    pub card: watch::Receiver<Arc<Capabilities>>,
    /// Publishes a new capability card after a new detection.
    pub cards: watch::Sender<Arc<Capabilities>>,
    /// How to detect the encoders of this machine.
    pub detection: Detection,
    /// Which stores and folders answer.
    pub reach: Arc<Reach>,
    pub scratch: Scratch,
    pub heartbeater: Arc<Heartbeater>,
    pub name: WorkerName,
    /// How ffmpeg is wrapped; `None` runs it unconfined.
    pub wrapper: Option<Wrapper>,
    pub read: ReadMode,
    pub verify: Verify,
    /// How long ffmpeg may make no progress before it is stopped.
    pub stall_timeout: Duration,
    /// The recent proof encodes that passed.
    pub proofs: ProofEncodes,
    /// The split jobs whose chunks this worker leaves to others.
    pub unfit: Unfit,
    /// What was read of split sources that lie in a bucket.
    pub outlines: Outlines,
}

impl Work for Executor {
    async fn execute(&self, claim: Claim, stop: Stop) -> AttemptEnd {
        self.run_to_end(claim, stop).await
    }

    async fn clean_up(&self, run: &Run) {
        earlier::clean_up(&self.stores, run).await;
    }

    async fn finish(&self, done: CompletedJob) {
        self.finish_completed(done).await;
    }

    async fn prove(&self, encoders: Vec<Encoder>) -> Result<(), String> {
        self.prove_itself(encoders).await
    }

    async fn prove_again(&self, encoders: Vec<Encoder>) -> Result<(), String> {
        self.detect_again(encoders).await
    }
}

impl Executor {
    /// The encoder for the video of this job; `None` if the video is copied, or if no fitting encoder is proved here.
    pub(super) fn encoder(&self, claim: &Claim) -> Option<Encoder> {
        let card = Arc::clone(&self.card.borrow());
        let chosen = choose(&card, &claim.job().recipe, &claim.lane().queue);
        chosen.ok().flatten().map(|(encoder, _)| encoder.clone())
    }

    /// A runner that may read these sources, and write nowhere.
    pub(crate) fn runner<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a Source>,
        scratch: &Path,
        stop: CancellationToken,
    ) -> Runner {
        let (mut read, mut network) = (Vec::new(), false);
        for source in sources {
            match source {
                Source::File(path) | Source::Outline(path) => read.push(path.clone()),
                Source::Url(_) => network = true,
            }
        }
        self.confined(read, network, scratch, stop)
    }

    /// A runner with the limits and the sandbox of a job. It may read `read` and its home `scratch`, and use the
    /// network if `network` is set.
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
                wrapper: self.wrapper.clone(),
                read,
                home: scratch.to_owned(),
                writes: false,
                network,
                background: false,
            },
            limits: Limits {
                stall: self.stall_timeout,
                ..Limits::default()
            },
            stop,
        }
    }
}

/// Picks the encoder for a recipe: only one that this worker has proved.
pub(crate) fn choose<'a>(
    card: &'a Capabilities,
    recipe: &Recipe,
    queue: &Queue,
) -> Result<Option<(&'a Encoder, &'a Proof)>, Failure> {
    let Some(encode) = recipe.video_encode() else {
        return Ok(None);
    };
    let chosen = encoder::choose(card, encode, queue);
    chosen
        .map(Some)
        .map_err(|why| Failure::worker(format!("this worker cannot run it: {why}")))
}
