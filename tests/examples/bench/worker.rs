//! A real worker, but for its jobs: they do nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::broker::{Broker, Claim, ClaimError, CompletedJob, Lease};
use common::farm::card::Capabilities;
use common::farm::worker::Terms;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::run::Run;
use common::store::Stores;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::cli::config::ReadMode;
use worker::dispatch::Limits;
use worker::dispatch::admission::{Admission, Reserved};
use worker::dispatch::dispatcher::Dispatcher;
use worker::dispatch::orders;
use worker::report::heartbeat::{Heartbeater, Profile};
use worker::work::reach::Reach;
use worker::work::stop::Stop;
use worker::work::{AttemptEnd, Work};

use crate::jobs::complete;

/// Reports each job that is claimed or completed, with the time.
pub(crate) type Told = mpsc::UnboundedSender<(JobId, Instant)>;

/// The settings of a worker.
pub(crate) struct Setup<'a> {
    pub name: WorkerName,
    /// The capability card.
    pub card: Capabilities,
    pub slots: usize,
    /// The scratch folder; nothing is written there.
    pub scratch: &'a Path,
    /// Gets each claimed job.
    pub claimed: Told,
    /// Gets each completed job.
    pub done: Told,
}

/// A worker that takes jobs until it is stopped.
pub(crate) struct Worker {
    stopping: CancellationToken,
    gone: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts the worker's heartbeat, and follows orders. No job is taken yet.
    pub(crate) fn join(broker: &Broker, setup: Setup<'_>) -> (Self, Dispatcher<Nothing>) {
        let terms = Terms::default();
        std::fs::create_dir_all(setup.scratch).expect("there is room");
        // No encoder is proved again.
        let (_, card) = watch::channel(Arc::new(setup.card));
        let (orders, controls) = watch::channel(Default::default());
        let name = &setup.name;
        let reach = Reach::new(&Stores::new(), broker.clock());
        let profile = Profile {
            name: name.clone(),
            slots: setup.slots as u32,
            terms: terms.clone(),
            places: reach.allowed(),
            card: card.clone(),
            away: reach.away(),
        };
        let heartbeater = Heartbeater::new(profile, setup.scratch, broker.clock());
        let heartbeater = Arc::new(heartbeater);
        let gone = CancellationToken::new();
        let announcing = tokio::spawn({
            let (heartbeater, broker, gone) =
                (Arc::clone(&heartbeater), broker.clone(), gone.clone());
            async move { heartbeater.run(&broker, gone).await }
        });
        let following = tokio::spawn(orders::follow(broker.clone(), orders, gone.clone()));
        let dispatcher = Dispatcher {
            broker: broker.clone(),
            work: Arc::new(Nothing {
                name: name.clone(),
                claimed: setup.claimed,
                done: setup.done,
            }),
            admission: Arc::new(Admission {
                name: name.clone(),
                terms,
                places: reach.allowed(),
                read: ReadMode::InPlace,
                card,
                controls,
                reach,
                reserved: Reserved::default(),
                unfit: worker::work::unfit::Unfit::default(),
            }),
            scratch: setup.scratch.to_owned(),
            hours: None,
            quarantine_after: 0,
            quarantine_rest: Duration::ZERO,
            heartbeater,
            slots: setup.slots,
            drain_timeout: Duration::ZERO,
            limits: Limits::default(),
        };
        let worker = Self {
            stopping: CancellationToken::new(),
            gone,
            tasks: vec![announcing, following],
        };
        (worker, dispatcher)
    }

    /// Starts to take jobs.
    pub(crate) fn work(&mut self, dispatcher: Dispatcher<Nothing>) {
        let stopping = self.stopping.clone();
        self.tasks.push(tokio::spawn(async move {
            dispatcher.run(stopping).await.expect("the broker answers");
        }));
    }

    pub(crate) async fn stop(self) {
        self.stopping.cancel();
        self.gone.cancel();
        for task in self.tasks {
            task.await.expect("it ends well");
        }
    }
}

/// The executor without ffmpeg.
pub(crate) struct Nothing {
    name: WorkerName,
    claimed: Told,
    done: Told,
}

impl Work for Nothing {
    async fn execute(&self, claim: Claim, _: Stop) -> AttemptEnd {
        let job = claim.job().id;
        // The receiver may have ended.
        let _ = self.claimed.send((job, Instant::now()));
        let lease = Lease::keep(&claim);
        let completed = complete(claim, self.name.clone()).await;
        drop(lease);
        match completed {
            Ok(()) => {
                let _ = self.done.send((job, Instant::now()));
                AttemptEnd::Completed
            }
            // A machine that is too busy for signs of life loses jobs to other workers.
            Err(ClaimError::Elsewhere) => AttemptEnd::Gone,
            Err(error) => panic!("{error}"),
        }
    }

    async fn clean_up(&self, _: &Run) {}

    async fn finish(&self, _: CompletedJob) {}

    async fn prove(&self, _: Vec<common::recipe::encoder::Encoder>) -> Result<(), String> {
        Ok(())
    }

    async fn prove_again(&self, _: Vec<common::recipe::encoder::Encoder>) -> Result<(), String> {
        Ok(())
    }
}
