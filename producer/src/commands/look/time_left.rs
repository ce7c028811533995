//! When the jobs of a batch will have ended.

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
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use common::matching::outlook::{Outlook, Past, Waiting};
use common::matching::{fit, outlook};
use common::names::subject;
use common::wire;
use futures::StreamExt;
use jiff::Timestamp;

use crate::exit::Error;

/// How long running jobs are listened to.
const LISTEN: Duration = Duration::from_millis(1500);

/// What is left of a batch: its own jobs, and what those of the same queues took
/// that ended last.
pub(super) fn outlook(
    own: &[JobRecord],
    others: &[JobRecord],
    heard: &ProgressListener,
    now: Timestamp,
) -> Outlook {
    let mut outlook = Outlook::default();
    let mut waiting = Waiting::default();
    let mut queues = HashSet::new();
    for record in own.iter().filter(|record| !record.has_ended()) {
        queues.insert(record.queue());
        let size = record.job().input.size;
        match record.run().map(|run| &run.state) {
            Some(RunState::Running { since, .. }) => {
                let progress = heard.progress.get(&record.job().id);
                let left = progress.and_then(|progress| progress.seconds_left(*since));
                let at = progress.map_or(now, |progress| progress.at);
                outlook.running(size, at.duration_since(*since).as_secs_f64(), left);
            }
            // What is put aside does not go on by itself.
            _ if matches!(record, JobRecord::Parked(_)) => {}
            _ => waiting.add(size),
        }
    }
    outlook.waiting(waiting);
    let all = own.iter().chain(others);
    let mut done: Vec<(Timestamp, &Report)> = all
        .filter(|record| queues.contains(record.queue()))
        .filter_map(|record| match record.run() {
            Some(Run {
                state: RunState::Completed { report },
                changed,
                ..
            }) => Some((*changed, &**report)),
            _ => None,
        })
        .collect();
    done.sort_by_key(|(ended, _)| Reverse(*ended));
    let mut past = Past::default();
    for (_, report) in done.iter().take(outlook::LATELY) {
        past.add(report.input_size, report.total_seconds);
    }
    outlook.past(past);
    outlook
}

/// Jobs of these that can run at once: the slots of the workers that take them.
pub(super) fn slots(records: &[JobRecord], workers: &[Heartbeat]) -> u32 {
    // Of jobs in one queue, one stands for the others.
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

/// What running jobs say of themselves.
pub(super) struct ProgressListener {
    messages: Subscriber,
    progress: HashMap<JobId, Progress>,
}

impl ProgressListener {
    /// Listens from now on.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub(super) async fn listen(broker: &Broker) -> Result<Self, Error> {
        let messages = broker.client().subscribe(subject::PROGRESS_OF_ALL).await;
        let failed =
            |error| Error::out_of_reach(format!("running jobs cannot be listened to: {error}"));
        Ok(Self {
            messages: messages.map_err(failed)?,
            progress: HashMap::new(),
        })
    }

    /// Waits until each running one of these has said something, but not for long.
    pub(super) async fn of(&mut self, records: &[JobRecord]) {
        let is_running = |record: &&JobRecord| record.state() == JobState::Running;
        let running = records.iter().filter(is_running);
        let mut silent: HashSet<JobId> = running.map(|record| record.job().id).collect();
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
        // Who says nothing by then is judged by what such jobs took.
        let _ = tokio::time::timeout(LISTEN, listen).await;
    }
}
