//! Following jobs to their ends.
//!
//! Runs come by a watch that begins where the bucket stood before the jobs were
//! submitted, so there is no gap at the start. A watch can fall silent (a broker
//! that restarts, a leader that moves), so a sweep reads what changed since the
//! last change heard of: one request for all jobs, however many. Progress is
//! fresh or nothing.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::kv;
use common::broker::Broker;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::Run;
use common::names::subject;
use common::names::subject::RUNS;
use common::wire;
use futures::StreamExt;
use tokio::time::{Interval, MissedTickBehavior};

use crate::exit::Error;

/// How often the sweep looks for what the watch missed.
const SWEEP: Duration = Duration::from_secs(10);
/// Changes that one request of the sweep brings.
const PAGE: usize = 1000;

/// What happened to a job that is followed.
#[derive(Debug)]
pub(crate) enum JobUpdate {
    /// Its run was written.
    Run(Box<Run>),
    /// It got further.
    Progress(Box<Progress>),
}

/// Follows jobs.
pub(crate) struct Follower {
    broker: Broker,
    bucket: kv::Store,
    /// The last change that was dealt with.
    cursor: u64,
    watch: Option<kv::Watch>,
    progress: Subscriber,
    sweep: Interval,
    /// Jobs whose end is awaited, and when their runs were last written.
    open: HashMap<JobId, Option<jiff::Timestamp>>,
    ready: VecDeque<JobUpdate>,
}

impl Follower {
    /// Notes where things stand; to be called before the jobs are submitted.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub(crate) async fn start(broker: &Broker) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::out_of_reach(format!("following the farm's jobs: {error}"))
        };
        let progress = broker
            .client()
            .subscribe(subject::PROGRESS_OF_ALL)
            .await
            .map_err(|error| failed(&error))?;
        // Opened anew, it carries how far the bucket has come.
        let bucket = broker
            .jetstream()
            .get_key_value(RUNS)
            .await
            .map_err(|error| failed(&error))?;
        let cursor = bucket.stream.cached_info().state.last_sequence;
        let watch = bucket
            .watch_all_from_revision(cursor + 1)
            .await
            .map_err(|error| failed(&error))?;
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweep.reset();
        Ok(Self {
            broker: broker.clone(),
            bucket,
            cursor,
            watch: Some(watch),
            progress,
            sweep,
            open: HashMap::new(),
            ready: VecDeque::new(),
        })
    }

    /// Follows a job from here on.
    pub(crate) fn follow(&mut self, job: JobId) {
        self.open.insert(job, None);
    }

    /// Whether all jobs that are followed have ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.ready.is_empty()
    }

    /// The next change of a job that is followed. May be dropped and called
    /// anew at any time. Broker trouble passes: it is only logged.
    pub(crate) async fn next(&mut self) -> JobUpdate {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return change;
            }
            tokio::select! {
                entry = next_entry(&mut self.watch) => match entry {
                    Some(Ok(entry)) => self.entry(&entry),
                    Some(Err(error)) => {
                        tracing::debug!(%error, "the watch on runs ended");
                        self.watch = None;
                    }
                    None => self.watch = None,
                },
                Some(message) = self.progress.next() => {
                    match wire::decode::<Progress>(&message.payload) {
                        Ok(progress) if self.open.contains_key(&progress.job) => {
                            return JobUpdate::Progress(Box::new(progress));
                        }
                        Ok(_) => {}
                        Err(error) => tracing::debug!(%error, "a progress message cannot be read"),
                    }
                }
                _ = self.sweep.tick() => self.sweep().await,
            }
        }
    }

    fn entry(&mut self, entry: &kv::Entry) {
        self.cursor = self.cursor.max(entry.revision);
        if entry.operation != kv::Operation::Put {
            return;
        }
        match wire::decode::<Run>(&entry.value) {
            Ok(run) => self.written(run),
            Err(error) => tracing::warn!(key = entry.key, %error, "a run cannot be read"),
        }
    }

    /// A run may be heard of twice, by watch and sweep.
    fn written(&mut self, run: Run) {
        let Some(last) = self.open.get_mut(&run.job.id) else {
            return;
        };
        if *last == Some(run.changed) {
            return;
        }
        *last = Some(run.changed);
        if run.state.is_terminal() {
            self.open.remove(&run.job.id);
        }
        self.ready.push_back(JobUpdate::Run(Box::new(run)));
    }

    async fn sweep(&mut self) {
        loop {
            match self.broker.runs_since(self.cursor + 1, PAGE).await {
                Ok((_, next)) if next == self.cursor + 1 => break,
                Ok((runs, next)) => {
                    self.cursor = next - 1;
                    runs.into_iter().for_each(|run| self.written(run));
                }
                Err(error) => {
                    tracing::debug!(%error, "could not look for changes; trying again");
                    return;
                }
            }
        }
        if self.watch.is_none() {
            self.watch = self
                .bucket
                .watch_all_from_revision(self.cursor + 1)
                .await
                .ok();
        }
    }
}

/// The next entry of the watch; never, where there is none.
async fn next_entry(watch: &mut Option<kv::Watch>) -> Option<Result<kv::Entry, kv::WatcherError>> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}
