//! Gathering what explains why a job waits.

use std::collections::HashSet;

use futures::StreamExt;

use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::farm::worker::Heartbeat;
use crate::job::id::JobId;
use crate::job::record::JobRecord;
use crate::job::run::{Run, RunState};
use crate::matching::why::{Why, WhyContext};

/// Runs that are read at the same time.
const AT_ONCE: usize = 16;

impl Broker {
    /// Why a job is in its state now.
    pub async fn why(&self, record: &JobRecord) -> Result<Why, BrokerError> {
        let (places, workers, controls, reports) = futures::try_join!(
            self.queue_positions(&record.job().id),
            self.workers(),
            self.orders(),
            self.recent_reports(),
        )?;
        let parts = match record.run().map(|run| &run.state) {
            Some(RunState::Split { .. }) => self.parts(&record.job().id).await?,
            _ => None,
        };
        let parts = parts.map(|parts| parts.sum());
        let lanes: Vec<Lane> = places.lanes.iter().map(|(lane, _)| lane.clone()).collect();
        let scene = WhyContext {
            record,
            lanes: &lanes,
            opens: places.opens.first(),
            workers: &workers,
            controls: &controls,
            parts: parts.as_ref(),
        };
        let ahead = self.queue_ahead(&places.lanes, scene.contenders()).await?;
        let running = self.running_on(&scene.takers()).await;
        let now = self.now();
        let work = scene.work(ahead, &running, &reports, now);
        Ok(scene.why(ahead, &work, now))
    }

    /// The runs of these workers' jobs, for the estimate; unreadable runs are left out.
    async fn running_on(&self, workers: &[&Heartbeat]) -> Vec<Run> {
        let jobs: HashSet<JobId> = workers
            .iter()
            .flat_map(|worker| worker.running.iter().copied())
            .collect();
        let records = futures::stream::iter(jobs)
            .map(async |job| self.job(&job).await.ok().flatten())
            .buffer_unordered(AT_ONCE);
        records
            .filter_map(async |record| record.and_then(|record| record.run().cloned()))
            .collect()
            .await
    }
}
