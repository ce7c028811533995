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
use common::job::signature::Signers;
use common::matching::encoder;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use common::store::Stores;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::attempt::input::server::InputServer;
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
use crate::report::metrics::counters::Counters;
use crate::sandbox::address::Address;
use crate::sandbox::resources::Resources;
use crate::sandbox::{Sandbox, Wrapper};
use crate::work::reach::Reach;
use crate::work::stop::Stop;
use crate::work::unfit::Unfit;
use crate::work::{AttemptEnd, Work};

pub struct Executor {
    pub broker: Broker,
    pub stores: Stores,
    /// Serves objects to ffmpeg.
    pub inputs: InputServer,
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
    pub counters: Arc<Counters>,
    pub name: WorkerName,
    /// How ffmpeg is wrapped; `None` runs it unconfined.
    pub wrapper: Option<Wrapper>,
    pub read: ReadMode,
    pub verify: Verify,
    /// How long ffmpeg may make no progress before it is stopped.
    pub stall_timeout: Duration,
    /// How long one run of ffmpeg may take at most.
    pub max_job_time: Option<Duration>,
    /// Bytes of memory that one run of ffmpeg may use; `None` for most of the machine's.
    pub max_memory: Option<u64>,
    /// The recent proof encodes that passed.
    pub proofs: ProofEncodes,
    /// Whose jobs are taken; `None` for everybody's.
    pub signers: Option<Signers>,
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
        match self.check_order(&run.job) {
            Ok(()) => earlier::clean_up(&self.stores, run).await,
            Err(why) => tracing::warn!(job = %run.job.id, %why, "what it has left is not removed"),
        }
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

    /// The stores, and what serves their objects to ffmpeg.
    pub(crate) fn places(&self) -> (&Stores, &InputServer) {
        (&self.stores, &self.inputs)
    }

    /// A runner that may read these sources, and write nowhere.
    pub(crate) fn runner<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a Source>,
        scratch: &Path,
        stop: CancellationToken,
    ) -> Runner {
        let (mut read, mut connects) = (Vec::new(), Vec::new());
        for source in sources {
            match source {
                Source::File(path) | Source::Outline(path) => read.push(path.clone()),
                Source::Url(address) => connects.push(address.clone()),
            }
        }
        self.confined(read, connects, scratch, stop)
    }

    /// The memory that one run may use, in bytes. The rest is for the system, the worker, and what other runs need
    /// meanwhile.
    fn memory(&self) -> u64 {
        let whole = self.card.borrow().host.memory;
        let known = (whole > 0).then_some(whole / 4 * 3);
        self.max_memory.or(known).unwrap_or(u64::MAX)
    }

    /// A runner with the limits and the sandbox of a job. It may read `read` and its home `scratch`, and
    /// connect to the addresses `connects`.
    pub(crate) fn confined(
        &self,
        read: Vec<PathBuf>,
        connects: Vec<Address>,
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
                connects,
                resources: Resources {
                    memory: Some(self.memory()),
                    file_size: None,
                },
                background: false,
            },
            limits: Limits {
                stall: self.stall_timeout,
                longest: self.max_job_time,
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
