//! Reads news from the broker, from where the last answer ended.

use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::job::record::JobRecord;
use tokio::time::Instant;

use crate::view::{Input, View};

/// Messages of one request.
const PAGE: usize = 500;
/// How far back the history of runs is read, in sequences of the broker. Each job takes about four, and the last of them
/// is kept.
const BACKLOG: u64 = 4000;
/// How often all workers are listed anew: their bucket is in the broker's memory, and may start over with lower
/// sequences.
const WORKERS_ANEW: Duration = Duration::from_secs(30);

/// Where the last answers ended.
#[derive(Default)]
pub(super) struct Poll {
    runs: Option<u64>,
    workers: u64,
    workers_anew: Option<Instant>,
}

impl Poll {
    /// Notes that the broker was away: its memory may be empty.
    pub(super) fn rewind(&mut self) {
        self.workers_anew = None;
    }

    /// Reads the latest part of the runs, before anything else is read.
    pub(super) async fn begin(
        &mut self,
        broker: &Broker,
        view: &mut View,
    ) -> Result<(), BrokerError> {
        let last = broker.last_run_sequence().await?;
        let known = self.runs.filter(|next| *next <= last + 1);
        if known.is_none_or(|next| last + 1 - next > BACKLOG) {
            let first = last.saturating_sub(BACKLOG) + 1;
            self.runs = Some(first);
            view.apply(Input::RunsAnew { late: first > 1 }, broker.now());
        }
        self.news(broker, view).await.map(drop)
    }

    /// Reads everything that is new. Returns whether there was anything.
    pub(super) async fn news(
        &mut self,
        broker: &Broker,
        view: &mut View,
    ) -> Result<bool, BrokerError> {
        let mut is_news = self.ask_runs(broker, view).await?;
        if self.ask_workers(broker, view).await? {
            is_news = true;
            // Heartbeats are read after the runs: the runs hold what a worker has just claimed.
            for job in view.unknown_jobs(broker.now()) {
                if let Some(JobRecord::Run(run)) = broker.job(&job).await? {
                    view.apply(Input::Found(run), broker.now());
                }
            }
        }
        if is_news {
            for job in view.unplanned_jobs() {
                if let Some(parts) = broker.parts(&job).await? {
                    view.apply(Input::Parts(job, Box::new(parts)), broker.now());
                }
            }
        }
        Ok(is_news)
    }

    async fn ask_runs(&mut self, broker: &Broker, view: &mut View) -> Result<bool, BrokerError> {
        let mut is_news = false;
        loop {
            let from = self.runs.unwrap_or(1);
            let (changes, next) = broker.run_changes_with_parts(from, PAGE).await?;
            if next == from {
                return Ok(is_news);
            }
            self.runs = Some(next);
            is_news = true;
            let now = broker.now();
            let is_last = changes.len() < PAGE;
            for change in changes {
                view.apply(Input::Run(Box::new(change)), now);
            }
            if is_last {
                return Ok(true);
            }
        }
    }

    async fn ask_workers(&mut self, broker: &Broker, view: &mut View) -> Result<bool, BrokerError> {
        if self
            .workers_anew
            .is_none_or(|last| last.elapsed() > WORKERS_ANEW)
        {
            self.workers = 1;
            self.workers_anew = Some(Instant::now());
        }
        let mut is_news = false;
        loop {
            let (changes, next) = broker.worker_changes(self.workers, PAGE).await?;
            if next == self.workers {
                return Ok(is_news);
            }
            self.workers = next;
            is_news = true;
            let now = broker.now();
            for change in changes {
                view.apply(Input::Worker(Box::new(change)), now);
            }
        }
    }
}
