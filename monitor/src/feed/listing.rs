//! Fills the index of all jobs from the work queue and the runs, each read from where the last
//! answer ended.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::job::state::JobState;
use tokio_util::sync::CancellationToken;

use crate::feed::audience::Audience;
use crate::index::Index;
use crate::index::shared::Listing;

/// How often the broker is asked for news.
const TICK: Duration = Duration::from_millis(250);
/// Wait before the next request to a broker that gave no answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Messages of one request.
const PAGE: usize = 1000;

/// Where the last answers ended.
pub(super) struct Lister {
    listing: Arc<Listing>,
    queue: u64,
    runs: u64,
    /// Whether not all jobs were read yet.
    is_first: bool,
}

impl Lister {
    pub(super) fn new(listing: Arc<Listing>) -> Self {
        Self {
            listing,
            queue: 1,
            runs: 1,
            is_first: true,
        }
    }

    /// Runs until the token is cancelled. Reads all jobs once, so that the first viewer finds them
    /// ready; after that, reads only while somebody looks.
    pub(super) async fn run(
        mut self,
        broker: Broker,
        audience: Audience,
        shutdown: CancellationToken,
    ) {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = self.begin(&broker) => {}
        }
        loop {
            self.listing.fell_behind();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = audience.arrival() => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = audience.departure() => {}
                () = self.follow(&broker) => {}
            }
        }
    }

    /// Reads all jobs.
    async fn begin(&mut self, broker: &Broker) {
        while let Err(error) = self.catch_up(broker).await {
            tracing::debug!(%error, "the listing of jobs stands still");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Never ends by itself.
    async fn follow(&mut self, broker: &Broker) {
        loop {
            match self.catch_up(broker).await {
                Ok(()) => tokio::time::sleep(TICK).await,
                Err(error) => {
                    tracing::debug!(%error, "the listing of jobs stands still");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn catch_up(&mut self, broker: &Broker) -> Result<(), BrokerError> {
        let extent = broker.queue_extent().await?;
        let last_run = broker.last_run_sequence().await?;
        if self.queue > extent.0 + 1 || self.runs > last_run + 1 {
            tracing::info!("the broker has begun anew: listing all jobs again");
            self.begin_anew();
        }
        if self.queue == 1 {
            for (job, lane) in broker.parked_jobs().await? {
                self.listing.write().waits(&job, &lane);
            }
        }
        let all = (extent.0 + last_run).max(1) as f32;
        loop {
            let (jobs, parts, next) = broker.queued_with_parts(self.queue, PAGE).await?;
            if next == self.queue {
                break;
            }
            self.queue = next;
            let mut index = self.listing.write();
            for pending in &jobs {
                index.queued(pending);
            }
            for place in &parts {
                index.part_queued(place);
            }
            drop(index);
            self.reached(all);
        }
        loop {
            let (changes, next) = broker.run_changes_with_parts(self.runs, PAGE).await?;
            if next == self.runs {
                break;
            }
            self.runs = next;
            let mut index = self.listing.write();
            for change in &changes {
                match &change.value {
                    run if !change.key.is_whole() => index.part_ran(&change.key, run.as_ref()),
                    Some(run) => index.run(run),
                    None => index.forget(&change.key),
                }
            }
            drop(index);
            self.reached(all);
        }
        self.listing.completed();
        self.is_first = false;
        // Every pending job has a message. If there are fewer messages, another program has removed
        // some.
        let pending = self.listing.read().counts().of(JobState::Pending) as u64;
        if pending > extent.1 && broker.queue_extent().await? == extent {
            tracing::info!("jobs were removed from the queue: listing all again");
            self.begin_anew();
        }
        Ok(())
    }

    /// Notes the share of all jobs read so far, until all are read for the first time.
    fn reached(&self, all: f32) {
        if self.is_first {
            self.listing.reached((self.queue + self.runs) as f32 / all);
        }
    }

    fn begin_anew(&mut self) {
        *self.listing.write() = Index::default();
        self.listing.reached(0.0);
        (self.queue, self.runs, self.is_first) = (1, 1, true);
    }
}
