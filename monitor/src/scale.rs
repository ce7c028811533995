//! How many workers each class needs, whenever somebody asks: the work is in the index of all jobs, the live workers and
//! the orders are asked of the broker.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, ScaleQuestion};
use common::farm::queue::Queue;
use common::farm::worker::Heartbeat;
use common::farm::worker_name::WorkerName;
use common::matching::scale::{Class, Present, Scale, Waiting, scale};
use common::wire;
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::feed::audience::Audience;
use crate::index::shared::Listing;

/// How long an answer serves further requests: autoscalers of several classes ask at the same time.
const FRESH: Duration = Duration::from_secs(1);

/// What the numbers are made of, at one moment.
pub(crate) struct Demand {
    waiting: Vec<Waiting>,
    running: HashMap<WorkerName, u32>,
    workers: Vec<Heartbeat>,
}

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoDemand {
    /// The broker gives no answer.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Not all jobs are in the index.
    #[error("the monitor has not read all jobs yet: ask again in a moment")]
    Incomplete,
}

/// A demand, and when it was read.
type Reading = (Instant, Arc<Demand>);

/// Reads the demand when somebody asks. Clones share one reading.
#[derive(Clone)]
pub(crate) struct Scaler {
    broker: Broker,
    audience: Audience,
    listing: Arc<Listing>,
    /// The last reading.
    kept: Arc<Mutex<Option<Reading>>>,
}

/// How many workers one queue needs: those of the class that takes jobs from this queue alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueScale {
    #[schema(value_type = String)]
    pub(crate) queue: Queue,
    #[serde(flatten)]
    pub(crate) scale: Scale,
}

impl Scaler {
    pub(crate) fn new(broker: Broker, audience: Audience, listing: Arc<Listing>) -> Self {
        Self {
            broker,
            audience,
            listing,
            kept: Arc::default(),
        }
    }

    /// What waits and runs now. At most a second old; requests at the same time share one reading.
    ///
    /// # Errors
    /// The broker gives no answer, or not all jobs were read yet.
    pub(crate) async fn demand(&self) -> Result<Arc<Demand>, NoDemand> {
        let mut kept = self.kept.lock().await;
        if let Some((at, demand)) = &*kept
            && at.elapsed() < FRESH
        {
            return Ok(demand.clone());
        }
        // While somebody looks, the index follows the broker.
        let _viewer = self.audience.join();
        self.listing.caught_up().await;
        let orders = self.broker.orders().await?;
        let (listing, now) = (self.listing.clone(), self.broker.now());
        // A million jobs take a while, and other requests must not wait.
        let work = tokio::task::spawn_blocking(move || {
            let is_complete = listing.is_complete();
            is_complete.then(|| listing.read().work(&orders, now))
        });
        let work = work.await.ok().flatten().ok_or(NoDemand::Incomplete)?;
        // The workers are read last: whoever has claimed a job had a heartbeat before.
        let live = self.broker.live_workers().await?;
        let names = live.workers.iter().map(|worker| &worker.name);
        let names: HashSet<&WorkerName> = names.collect();
        let is_gone = |owner: &WorkerName| live.is_complete && !names.contains(owner);
        let demand = Arc::new(Demand {
            waiting: work.startable(is_gone),
            running: work.running,
            workers: live.workers,
        });
        *kept = Some((Instant::now(), demand.clone()));
        Ok(demand)
    }

    /// Answers autoscalers until `shutdown` is cancelled.
    pub(crate) async fn serve(self, shutdown: CancellationToken) {
        let mut questions = match self.broker.scale_questions().await {
            Ok(questions) => questions,
            Err(error) => {
                tracing::warn!(%error, "autoscalers get no answers");
                return;
            }
        };
        loop {
            let asked = tokio::select! {
                () = shutdown.cancelled() => return,
                asked = questions.next() => asked,
            };
            let Some(asked) = asked else { return };
            let answer = self.answer(&asked.payload).await;
            if let Err(error) = self.broker.answer_scale(&asked, answer).await {
                tracing::debug!(%error, "an autoscaler was not answered");
            }
        }
    }

    async fn answer(&self, question: &[u8]) -> Result<Scale, String> {
        let question: ScaleQuestion = wire::decode(question).map_err(|error| error.to_string())?;
        let class = question.class().map_err(|error| error.to_string())?;
        let demand = self.demand().await.map_err(|error| error.to_string())?;
        Ok(demand.of(&class, question.jobs_per_worker))
    }
}

impl Demand {
    /// How many workers a class needs.
    pub(crate) fn of(&self, class: &Class, jobs_per_worker: NonZeroU32) -> Scale {
        let present = |worker| Present {
            worker,
            running: self.running.get(&worker.name).copied().unwrap_or(0),
        };
        let workers: Vec<Present<'_>> = self.workers.iter().map(present).collect();
        scale(class, &self.waiting, &workers, jobs_per_worker)
    }

    /// Each queue in which something waits, or that a live worker serves, but those of single workers.
    pub(crate) fn queues(&self) -> Vec<QueueScale> {
        let waiting = self.waiting.iter();
        let mut queues: BTreeSet<Queue> =
            waiting.flat_map(|waiting| waiting.queues.clone()).collect();
        for worker in &self.workers {
            let all = worker.card.queues(&worker.name).into_iter();
            queues.extend(all.filter(|queue| worker.serves(queue)));
        }
        let scale = |queue: Queue| {
            let class = Class::of_queues([queue.clone()]).ok()?;
            let scale = self.of(&class, NonZeroU32::MIN);
            Some(QueueScale { queue, scale })
        };
        queues.into_iter().filter_map(scale).collect()
    }
}
