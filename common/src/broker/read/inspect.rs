//! Reading the farm's state without taking part in it.

use std::collections::HashSet;

use async_nats::jetstream::consumer::Info;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::broker::nats::all_of;
use crate::broker::nats::direct::Stored;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::job::event::Event;
use crate::job::id::JobId;
use crate::job::record::{JobRecord, Pending};
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::{EVENTS, JOBS, JobSubject, RUNS, WORKERS};

/// A lane as the broker sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneStatus {
    /// The lane.
    pub lane: Lane,
    /// Number of jobs that wait.
    pub pending: u64,
    /// Number of jobs that a worker holds.
    pub running: u64,
    /// When the job that has waited longest was published.
    pub oldest: Option<Timestamp>,
    /// The waiting jobs have this sequence or a later one.
    pub next: u64,
}

/// The latest state of a key of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<K, T> {
    /// The key, parsed.
    pub key: K,
    /// The key's value; `None` if it was deleted or ran out.
    pub value: Option<T>,
    /// The sequence of the change in the bucket's stream.
    pub sequence: u64,
    /// When the broker stored the change.
    pub time: Option<Timestamp>,
}

/// Changes, oldest first, and the sequence from which to go on.
pub type Changes<K, T> = (Vec<Change<K, T>>, u64);

impl Broker {
    /// The record of a job; `None` for an unknown job. A job whose run is broken counts as failed.
    ///
    /// # Errors
    /// [`BrokerError::BrokenRun`] if neither a dead letter nor a message tells what the job was.
    pub async fn job(&self, job: &JobId) -> Result<Option<JobRecord>, BrokerError> {
        let run = match self.versioned_run(job).await {
            Ok(found) => found.map(|found| found.run),
            Err(BrokerError::BrokenRun {
                job,
                revision,
                source,
            }) => match self.known_otherwise(&job, &source).await? {
                Some(run) => Some(run),
                None => {
                    return Err(BrokerError::BrokenRun {
                        job,
                        revision,
                        source,
                    });
                }
            },
            Err(error) => return Err(error),
        };
        if let Some(run) = run.clone().filter(|run| !run.state.is_waiting()) {
            return Ok(Some(JobRecord::Run(Box::new(run))));
        }
        let subjects = [subject::job_anywhere(job), subject::parked(job)];
        let waiting = self.nats.last_of_each(JOBS, &subjects).await?;
        for stored in &waiting {
            if let Some(pending) = self.pending(stored) {
                return Ok(Some(match run {
                    Some(run) => JobRecord::Run(Box::new(run)),
                    None => JobRecord::Pending(Box::new(pending)),
                }));
            }
        }
        let parked = waiting.iter().find_map(|stored| self.parked(stored));
        let parked = parked.map(|(job, lane)| {
            let unclaimed = Run::unclaimed(job.clone(), &lane, job.enqueued);
            JobRecord::Parked(Box::new(run.clone().unwrap_or(unclaimed)))
        });
        Ok(parked.or(run.map(|run| JobRecord::Run(Box::new(run)))))
    }

    /// Up to `most` runs that were written since the sequence `from`, oldest first, and the sequence from which to go
    /// on. Each run comes once, in its latest state; unreadable runs are left out, and those of parts of split jobs.
    pub async fn runs_since(&self, from: u64, most: usize) -> Result<(Vec<Run>, u64), BrokerError> {
        let page = self
            .nats
            .page(&subject::bucket(RUNS), &subject::kv(RUNS, ">"), from, most)
            .await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let runs = page.iter().filter(|stored| !stored.is_marker);
        let runs = runs.filter_map(|stored| self.nats.read::<Run>(stored));
        Ok((runs.filter(|run| run.job.id.is_whole()).collect(), next))
    }

    /// Every run of a whole job, once, in the order of the last writes.
    pub async fn runs(&self) -> Result<Vec<Run>, BrokerError> {
        let mut all = Vec::new();
        let mut from = 1;
        loop {
            let (runs, next) = self.runs_since(from, 1000).await?;
            if next == from {
                break;
            }
            all.extend(runs);
            from = next;
        }
        // A run that was written during the reading came twice.
        let mut seen = HashSet::new();
        all.reverse();
        all.retain(|run: &Run| seen.insert(run.job.id));
        all.reverse();
        Ok(all)
    }

    /// Up to `most` jobs in the work queue (or in one queue) from the sequence `from` on, oldest first, and the
    /// sequence from which to go on. Jobs that a worker holds are included; unreadable messages are left out, and parts
    /// of split jobs.
    pub async fn queued(
        &self,
        queue: Option<&Queue>,
        from: u64,
        most: usize,
    ) -> Result<(Vec<Pending>, u64), BrokerError> {
        // Matching four wildcards among a million subjects takes the broker seconds.
        let filter = queue.map_or_else(|| ">".to_owned(), subject::queue);
        let page = self.nats.page(JOBS, &filter, from, most).await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let found = page.iter().filter_map(|stored| self.pending_whole(stored));
        Ok((found.collect(), next))
    }

    /// As [`Self::queued`] for all queues; the parts of split jobs are told apart, by their places alone.
    pub async fn queued_with_parts(
        &self,
        from: u64,
        most: usize,
    ) -> Result<(Vec<Pending>, Vec<JobSubject>, u64), BrokerError> {
        let page = self.nats.page(JOBS, ">", from, most).await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let places = page
            .iter()
            .filter_map(|stored| JobSubject::parse(&stored.subject));
        let parts = places.filter(|place| !place.job.is_whole());
        let found = page.iter().filter_map(|stored| self.pending_whole(stored));
        Ok((found.collect(), parts.collect(), next))
    }

    /// How many jobs wait and run in each lane. Parts of split jobs count like jobs: they are work that waits there.
    pub async fn lane_statuses(&self) -> Result<Vec<LaneStatus>, BrokerError> {
        let consumers = self.nats.consumers(JOBS).await?;
        let asking = consumers.into_iter().map(|info| self.lane_status(info));
        let statuses = all_of(asking.collect()).await?;
        Ok(statuses.into_iter().flatten().collect())
    }

    /// The status of a lane; `None` for a consumer that is no lane.
    async fn lane_status(&self, info: Info) -> Result<Option<LaneStatus>, BrokerError> {
        let Some(lane) = Lane::from_consumer(&info.name) else {
            return Ok(None);
        };
        let next = info.delivered.stream_sequence + 1;
        let oldest = if info.num_pending > 0 {
            let filter = subject::lane(&lane);
            self.nats.first_from(JOBS, &filter, next).await?
        } else {
            None
        };
        Ok(Some(LaneStatus {
            lane,
            pending: info.num_pending,
            running: info.num_ack_pending as u64,
            oldest: oldest.and_then(|stored| stored.time),
            next,
        }))
    }

    /// Up to `most` of the jobs that a lane delivers next, in order; unreadable messages are left out, and parts of split
    /// jobs.
    pub async fn next_in_lane(
        &self,
        status: &LaneStatus,
        most: usize,
    ) -> Result<Vec<Pending>, BrokerError> {
        let page = self
            .nats
            .page(JOBS, &subject::lane(&status.lane), status.next, most)
            .await?;
        Ok(page
            .iter()
            .filter_map(|stored| self.pending_whole(stored))
            .collect())
    }

    /// Runs of whole jobs that changed since the sequence `from`. Each comes once, in its latest state; unreadable runs
    /// are left out.
    pub async fn run_changes(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<JobId, Run>, BrokerError> {
        let whole = |key: &str| subject::job_of_run(key).filter(JobId::is_whole);
        self.changes(RUNS, from, most, whole).await
    }

    /// As [`Self::run_changes`], with the runs of parts of split jobs: see [`JobId::part`]. Once a split job has ended, the
    /// runs of its parts are removed without a notice.
    pub async fn run_changes_with_parts(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<JobId, Run>, BrokerError> {
        self.changes(RUNS, from, most, subject::job_of_run).await
    }

    /// Heartbeats since the sequence `from`, and workers that are gone. Each worker comes once; unreadable heartbeats
    /// are left out.
    pub async fn worker_changes(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<WorkerName, Heartbeat>, BrokerError> {
        let changes = self.changes(WORKERS, from, most, |key| key.parse().ok());
        match changes.await {
            // A restarted broker has no bucket until a worker makes it again.
            Err(_) if self.nats.lacks(&subject::bucket(WORKERS)).await => Ok((Vec::new(), 1)),
            answer => answer,
        }
    }

    async fn changes<K, T: DeserializeOwned>(
        &self,
        bucket: &str,
        from: u64,
        most: usize,
        parse: impl Fn(&str) -> Option<K>,
    ) -> Result<Changes<K, T>, BrokerError> {
        let prefix = subject::kv(bucket, "");
        let page = self
            .nats
            .page(
                &subject::bucket(bucket),
                &subject::kv(bucket, ">"),
                from,
                most,
            )
            .await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let change = |stored: &Stored| {
            let key = parse(stored.subject.strip_prefix(&prefix)?)?;
            let value = if stored.is_marker {
                self.nats.unread.forget(&stored.subject);
                None
            } else {
                Some(self.nats.read(stored)?)
            };
            Some(Change {
                key,
                value,
                sequence: stored.sequence,
                time: stored.time,
            })
        };
        Ok((page.iter().filter_map(change).collect(), next))
    }

    /// The sequence of the last written run; 0 if there is none.
    pub async fn last_run_sequence(&self) -> Result<u64, BrokerError> {
        let extent = self.nats.extent(&subject::bucket(RUNS)).await?;
        Ok(extent.last)
    }

    /// Last sequence and number of messages of the work queue: while both stay the same, no job was enqueued,
    /// finished, moved or cancelled.
    pub async fn queue_extent(&self) -> Result<(u64, u64), BrokerError> {
        let extent = self.nats.extent(JOBS).await?;
        Ok((extent.last, extent.messages))
    }

    /// A job's history, oldest first; unreadable events are left out.
    pub async fn events(&self, job: &JobId) -> Result<Vec<Event>, BrokerError> {
        let stored = self.nats.all(EVENTS, &subject::event(job, "*")).await?;
        Ok(stored
            .iter()
            .filter_map(|stored| self.nats.read(stored))
            .collect())
    }

    /// The job of a message in a lane; `None` for any other message, and for a part of a split job.
    fn pending_whole(&self, stored: &Stored) -> Option<Pending> {
        // By the subject: many parts need not be decoded.
        JobSubject::parse(&stored.subject)?
            .job
            .is_whole()
            .then(|| self.pending(stored))?
    }

    /// The job or part of a message in a lane; `None` for any other message.
    pub(super) fn pending(&self, stored: &Stored) -> Option<Pending> {
        let place = JobSubject::parse(&stored.subject)?;
        Some(Pending {
            job: self.nats.read(stored)?,
            queue: place.lane.queue,
            priority: place.lane.priority,
            sequence: stored.sequence,
        })
    }
}
