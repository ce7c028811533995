//! Following jobs to their ends.
//!
//! A watch delivers changed runs. It begins where the bucket stood before the jobs were submitted, so that no change is
//! missed at the start. A watch can fall silent (a broker restarts, a leader moves), so a sweep reads all changes since
//! the last known one, in one request for all jobs. Progress comes by plain messages, which may be lost. What is known
//! of the parts of a split job is read once, and then followed in the same ways.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::kv;
use common::broker::Broker;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::{Run, RunState};
use common::matching::parts::Parts;
use common::names::subject;
use common::names::subject::RUNS;
use common::wire;
use futures::StreamExt;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};

use crate::cli::exit::Error;

/// How often the sweep reads what the watch has missed.
const SWEEP: Duration = Duration::from_secs(10);
/// Changes that one request of the sweep brings.
const PAGE: usize = 1000;

#[derive(Debug)]
pub(crate) enum JobUpdate {
    Run(Box<Run>),
    /// The run of a part of a split job.
    Part(Box<Run>),
    /// What the broker knows of the parts of a split job.
    Parts(JobId, Box<Parts>),
    /// The progress of a job, or of a part of one.
    Progress(Box<Progress>),
}

pub(crate) struct Follower {
    broker: Broker,
    bucket: kv::Store,
    /// The last change that was handled.
    cursor: u64,
    watch: Option<kv::Watch>,
    progress: Subscriber,
    sweep: Interval,
    /// Jobs that have not ended, and when their runs were last written.
    open: HashMap<JobId, Option<jiff::Timestamp>>,
    ready: VecDeque<JobUpdate>,
    /// Split jobs whose parts were asked for.
    asked: HashSet<JobId>,
    asking: JoinSet<Option<JobUpdate>>,
}

impl Follower {
    /// Notes where the bucket stands. To be called before the jobs are submitted.
    pub(crate) async fn start(broker: &Broker) -> Result<Self, Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::out_of_reach(format!("cannot follow the jobs of the farm: {error}"))
        };
        let progress = broker
            .client()
            .subscribe(subject::PROGRESS_OF_ALL)
            .await
            .map_err(|error| failed(&error))?;
        // A new handle carries the last sequence of the bucket.
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
            asked: HashSet::new(),
            asking: JoinSet::new(),
        })
    }

    pub(crate) fn follow(&mut self, job: JobId) {
        self.open.insert(job, None);
    }

    /// Whether all followed jobs have ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty() && self.ready.is_empty()
    }

    /// The next change of a followed job. Safe to cancel. Broker outages are only logged.
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
                        Ok(progress) if self.open.contains_key(&progress.job.whole()) => {
                            if !progress.job.is_whole() {
                                self.ask_for_parts(progress.job.whole());
                            }
                            return JobUpdate::Progress(Box::new(progress));
                        }
                        Ok(_) => {}
                        Err(error) => tracing::debug!(%error, "a progress message cannot be read"),
                    }
                }
                Some(parts) = self.asking.join_next() => self.ready.extend(parts.ok().flatten()),
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

    /// A run may come twice, by watch and sweep.
    fn written(&mut self, run: Run) {
        let whole = run.job.id.whole();
        if !run.job.id.is_whole() {
            if self.open.contains_key(&whole) {
                self.ask_for_parts(whole);
                self.ready.push_back(JobUpdate::Part(Box::new(run)));
            }
            return;
        }
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
        if let RunState::Split { .. } = run.state {
            self.ask_for_parts(whole);
        }
        self.ready.push_back(JobUpdate::Run(Box::new(run)));
    }

    /// Asks for the parts of a split job, once: the plan of a job never changes.
    fn ask_for_parts(&mut self, job: JobId) {
        if !self.asked.insert(job) {
            return;
        }
        let broker = self.broker.clone();
        self.asking.spawn(async move {
            match broker.parts(&job).await {
                Ok(parts) => Some(JobUpdate::Parts(job, Box::new(parts?))),
                Err(error) => {
                    tracing::debug!(%error, %job, "the parts of a job cannot be read");
                    None
                }
            }
        });
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

/// The next entry of the watch. Waits for ever if there is no watch.
async fn next_entry(watch: &mut Option<kv::Watch>) -> Option<Result<kv::Entry, kv::WatcherError>> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}
