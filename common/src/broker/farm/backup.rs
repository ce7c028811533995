//! Copies of all that a farm keeps on its broker, made while it works.
//!
//! The streams are copied one after the other, so they show different moments. Three things make a sound farm of them:
//!
//! - The work queue is copied first, and the runs second. So a job whose message is in the copy has a run that is as late
//!   or later, and a job that has ended in between is known to have ended.
//! - Claims of outputs, dead letters and plans are copied after the runs, because they are written before them.
//! - A job that was enqueued and claimed in between has a run and no message. It gets one once all is restored.

use crate::broker::farm::topology::farm_streams;
use crate::broker::nats::snapshot::{StreamCopy, StreamHeading, StreamRestore};
use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS, WORKERS};

/// Jobs that are looked up at once.
const AT_ONCE: usize = 250;

impl Broker {
    /// The streams of a farm that a backup holds, in the order in which they are to be copied. They are restored in the
    /// same order, but for the first one, the work queue: workers begin with jobs as soon as they are there. Heartbeats
    /// are left out.
    pub fn streams_to_back_up(&self) -> Vec<String> {
        let mut names: Vec<String> = farm_streams(self.replicas)
            .map(|config| config.name)
            .filter(|name| *name != subject::bucket(WORKERS))
            .collect();
        let first = [JOBS.to_owned(), subject::bucket(RUNS)];
        names.sort_by_key(|name| {
            first
                .iter()
                .position(|one| one == name)
                .unwrap_or(first.len())
        });
        names
    }

    /// Whether a stream is the one that must be restored after all others.
    pub fn is_restored_last(stream: &str) -> bool {
        stream == JOBS
    }

    /// Begins to copy a stream, while the farm works.
    pub async fn copy_stream(&self, stream: &str) -> Result<StreamCopy, BrokerError> {
        self.nats.copy_stream(stream).await
    }

    /// Those streams of a farm that hold something, with the number of their messages.
    pub async fn filled_streams(&self) -> Result<Vec<(String, u64)>, BrokerError> {
        let mut filled = Vec::new();
        for name in self.streams_to_back_up() {
            if self.nats.lacks(&name).await {
                continue;
            }
            let messages = self.nats.extent(&name).await?.messages;
            if messages > 0 {
                filled.push((name, messages));
            }
        }
        Ok(filled)
    }

    /// Removes the streams that a backup holds, with all that is in them.
    pub async fn remove_streams(&self) -> Result<(), BrokerError> {
        for name in self.streams_to_back_up() {
            self.nats.remove_stream(&name).await?;
        }
        Ok(())
    }

    /// Begins to make a stream of its copy, with as many replicas as this farm has. There must be no stream of its name.
    pub async fn restore_stream(
        &self,
        heading: &StreamHeading,
    ) -> Result<StreamRestore, BrokerError> {
        self.nats.restore_stream(heading, self.replicas).await
    }

    /// Makes a sound farm of restored streams: makes those that are missing, and sends the message of each job that has
    /// none and has not ended. Safe to repeat. Returns the number of these jobs.
    pub async fn complete_restore(&self) -> Result<usize, BrokerError> {
        self.make_missing_streams().await?;
        let runs = self.runs().await?;
        let live = runs.iter().filter(|run| !run.state.is_terminal());
        let live: Vec<JobId> = live.map(|run| run.job.id).collect();
        let mut lacking = Vec::new();
        for some in live.chunks(AT_ONCE) {
            let waiting = self.with_messages(some.iter().copied()).await?;
            lacking.extend(some.iter().filter(|job| !waiting.contains(job)));
        }
        if !lacking.is_empty() {
            self.owners_had_time().await;
        }
        let mut sent = 0;
        for job in lacking {
            if let Some(found) = self.confirmed_run(job).await?
                && !found.run.state.is_terminal()
                && self.send_again(found).await?
            {
                sent += 1;
            }
        }
        Ok(sent)
    }
}
