//! How long the open jobs of a batch will take.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_nats::Subscriber;
use common::broker::Broker;
use common::farm::queue::Queue;
use common::farm::worker::Heartbeat;
use common::job::Job;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use common::matching::outlook::{Outlook, Past, Waiting};
use common::matching::{fit, outlook};
use common::names::subject;
use common::wire;
use futures::StreamExt;
use jiff::Timestamp;

use crate::cli::exit::Error;

/// How long to wait for the progress of running jobs.
const LISTEN: Duration = Duration::from_millis(1500);

/// A job that has completed, and how long that took.
pub(super) struct Completed {
    queue: Queue,
    ended: Timestamp,
    /// Bytes of its input.
    size: u64,
    seconds: f64,
}

impl Completed {
    pub(super) fn of(record: &JobRecord) -> Option<Self> {
        match record.run() {
            Some(Run {
                state: RunState::Completed { report },
                changed,
                ..
            }) => Some(Self {
                queue: record.queue().clone(),
                ended: *changed,
                size: report.input_size,
                seconds: report.total_seconds,
            }),
            _ => None,
        }
    }
}

/// The outlook of a batch, from its own jobs and from the latest completed jobs of the same queues.
pub(super) fn outlook(
    own: &[JobRecord],
    mut completed: Vec<Completed>,
    listener: &ProgressListener,
    now: Timestamp,
) -> Outlook {
    let mut outlook = Outlook::default();
    let mut waiting = Waiting::default();
    let mut queues = HashSet::new();
    for record in own.iter().filter(|record| !record.has_ended()) {
        queues.insert(record.queue());
        let size = record.job().bytes();
        match record.run().map(|run| &run.state) {
            Some(RunState::Running { since, .. }) => {
                let progress = listener.progress.get(&record.job().id);
                let left = progress.and_then(|progress| progress.seconds_left(*since));
                let at = progress.map_or(now, |progress| progress.at);
                outlook.running(size, at.duration_since(*since).as_secs_f64(), left);
            }
            // Parked jobs stay where they are until a person resumes their batch.
            _ if matches!(record, JobRecord::Parked(_)) => {}
            _ => waiting.add(size),
        }
    }
    outlook.waiting(waiting);
    completed.retain(|job| queues.contains(&job.queue));
    completed.sort_by_key(|job| Reverse(job.ended));
    let mut past = Past::default();
    for job in completed.iter().take(outlook::LATELY) {
        past.add(job.size, job.seconds);
    }
    outlook.past(past);
    outlook
}

/// The slots of all workers that take any of these jobs.
pub(super) fn slots(records: &[JobRecord], workers: &[Heartbeat]) -> u32 {
    // One job of each queue is checked for all of that queue.
    let open: HashMap<&Queue, &Job> = records
        .iter()
        .filter(|record| !record.has_ended())
        .map(|record| (record.queue(), record.job()))
        .collect();
    let takes_any = |worker: &&Heartbeat| {
        open.iter()
            .any(|(queue, job)| fit::takes(worker, job, queue).is_ok())
    };
    let takers = workers.iter().filter(takes_any);
    takers.fold(0, |sum, worker| sum.saturating_add(worker.slots))
}

/// Collects the progress that running jobs publish.
pub(super) struct ProgressListener {
    messages: Subscriber,
    progress: HashMap<JobId, Progress>,
}

impl ProgressListener {
    pub(super) async fn listen(broker: &Broker) -> Result<Self, Error> {
        let messages = broker.client().subscribe(subject::PROGRESS_OF_ALL).await;
        let failed = |error| {
            Error::out_of_reach(format!("cannot subscribe to the progress of jobs: {error}"))
        };
        Ok(Self {
            messages: messages.map_err(failed)?,
            progress: HashMap::new(),
        })
    }

    /// Waits until each running job has published its progress, for at most [`LISTEN`].
    pub(super) async fn of(&mut self, records: &[JobRecord]) {
        let is_running = |record: &&JobRecord| record.state() == JobState::Running;
        let running = records.iter().filter(is_running);
        let running: HashSet<JobId> = running.map(|record| record.job().id).collect();
        self.hear(running).await;
    }

    /// The progress of these jobs, as far as they publish any within [`LISTEN`].
    pub(super) async fn of_each(&mut self, jobs: HashSet<JobId>) -> Vec<Progress> {
        self.hear(jobs.clone()).await;
        let known = jobs.iter().filter_map(|job| self.progress.remove(job));
        known.collect()
    }

    async fn hear(&mut self, mut silent: HashSet<JobId>) {
        let listen = async {
            while !silent.is_empty()
                && let Some(message) = self.messages.next().await
            {
                if let Ok(progress) = wire::decode::<Progress>(&message.payload) {
                    silent.remove(&progress.job);
                    self.progress.insert(progress.job, progress);
                }
            }
        };
        // A job without progress by then is judged by how long such jobs took.
        let _ = tokio::time::timeout(LISTEN, listen).await;
    }
}
