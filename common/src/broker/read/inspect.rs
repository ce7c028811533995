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
    /// Which lane.
    pub lane: Lane,
    /// Jobs that wait.
    pub pending: u64,
    /// Jobs that a worker holds.
    pub running: u64,
    /// When the job that waits longest was published.
    pub oldest: Option<Timestamp>,
    /// Sequence from which on its waiting jobs lie.
    pub next: u64,
}

/// What a key of a bucket has become.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<K, T> {
    /// Which.
    pub key: K,
    /// Its value; `None` where it was deleted or ran out.
    pub value: Option<T>,
    /// Its place in the bucket's order.
    pub sequence: u64,
    /// When the broker stored it.
    pub time: Option<Timestamp>,
}

/// Changes, oldest first, and the sequence to go on from.
pub type Changes<K, T> = (Vec<Change<K, T>>, u64);

impl Broker {
    /// All that is known of a job; `None` where it was never heard of. One whose run
    /// is broken has failed.
    ///
    /// # Errors
    /// Where the broker gives no answer, or a broken run's job is nowhere else.
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
            let untaken = Run::untaken(job.clone(), &lane, job.enqueued);
            JobRecord::Parked(Box::new(run.clone().unwrap_or(untaken)))
        });
        Ok(parked.or(run.map(|run| JobRecord::Run(Box::new(run)))))
    }

    /// The runs that were written since a sequence, oldest first, and the
    /// sequence to go on from. Each run comes once, as it is now; what cannot be
    /// read is left out.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn runs_since(&self, from: u64, most: usize) -> Result<(Vec<Run>, u64), BrokerError> {
        let page = self
            .nats
            .page(&subject::bucket(RUNS), &subject::kv(RUNS, ">"), from, most)
            .await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let runs = page.iter().filter(|stored| !stored.is_marker);
        Ok((
            runs.filter_map(|stored| self.nats.read(stored)).collect(),
            next,
        ))
    }

    /// Every run, once, those that were written last at the end.
    ///
    /// # Errors
    /// Where the broker gives no answer.
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
        // One that was written while the others were read came twice.
        let mut seen = HashSet::new();
        all.reverse();
        all.retain(|run: &Run| seen.insert(run.job.id));
        all.reverse();
        Ok(all)
    }

    /// Messages in the work queue from a sequence on, oldest first, and the
    /// sequence to go on from. Jobs that a worker holds are among them; what cannot
    /// be read is left out: it must not hide the rest.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn queued(
        &self,
        queue: Option<&Queue>,
        from: u64,
        most: usize,
    ) -> Result<(Vec<Pending>, u64), BrokerError> {
        // Among a million subjects, matching four wildcards takes the broker seconds.
        let filter = queue.map_or_else(|| ">".to_owned(), subject::queue);
        let page = self.nats.page(JOBS, &filter, from, most).await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let found = page.iter().filter_map(|stored| self.pending(stored));
        Ok((found.collect(), next))
    }

    /// How full every lane is.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn lane_statuses(&self) -> Result<Vec<LaneStatus>, BrokerError> {
        let consumers = self.nats.consumers(JOBS).await?;
        let asking = consumers.into_iter().map(|info| self.lane_status(info));
        let statuses = all_of(asking.collect()).await?;
        Ok(statuses.into_iter().flatten().collect())
    }

    /// How full a lane is; `None` for a consumer that is no lane.
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

    /// The jobs that a lane gives out next, in order. What cannot be read is
    /// left out: it must not hide the rest.
    ///
    /// # Errors
    /// Where the broker gives no answer.
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
            .filter_map(|stored| self.pending(stored))
            .collect())
    }

    /// Runs as they changed since a sequence. Each comes once, as it is now;
    /// what cannot be read is left out.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn run_changes(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<JobId, Run>, BrokerError> {
        self.changes(RUNS, from, most, subject::job_of_run).await
    }

    /// Heartbeats since a sequence, and workers that are gone. Each worker
    /// comes once; what cannot be read is left out.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn worker_changes(
        &self,
        from: u64,
        most: usize,
    ) -> Result<Changes<WorkerName, Heartbeat>, BrokerError> {
        let changes = self.changes(WORKERS, from, most, |key| key.parse().ok());
        match changes.await {
            // A broker that lost its memory has no bucket until a program makes it anew.
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

    /// The sequence of the latest run that was written; 0 where there is none.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn last_run_sequence(&self) -> Result<u64, BrokerError> {
        let extent = self.nats.extent(&subject::bucket(RUNS)).await?;
        Ok(extent.last)
    }

    /// Last sequence and number of messages of the work queue: while both stay
    /// as they are, nothing was enqueued, finished, moved or cancelled.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn queue_extent(&self) -> Result<(u64, u64), BrokerError> {
        let extent = self.nats.extent(JOBS).await?;
        Ok((extent.last, extent.messages))
    }

    /// A job's history, oldest first; what cannot be read is left out.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn events(&self, job: &JobId) -> Result<Vec<Event>, BrokerError> {
        let stored = self.nats.all(EVENTS, &subject::event(job, "*")).await?;
        Ok(stored
            .iter()
            .filter_map(|stored| self.nats.read(stored))
            .collect())
    }

    /// The job of a message in a lane; `None` for any other message.
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
