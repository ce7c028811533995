//! Polling the lanes: fetches jobs, the most urgent first, offers them to a claimant, and claims the jobs that it
//! admits.
//!
//! A poll is bounded: each priority is searched for a short time only. If all jobs of a fetch were declined, the next
//! fetch of that lane asks for more, in this poll and in later ones, so that a suitable job behind many others is
//! reached.
//!
//! Declined jobs are kept until their lane is searched through. Then other workers can have them at once, and the
//! worker that declined them leaves the lane alone for a while. Only if the time did not suffice are they delivered
//! again later, so that the next poll sees other jobs.

mod offer;
mod search;

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::broker::{Broker, BrokerError, Claim, CompletedJob, Lanes};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::Run;

/// A worker as the poll sees it: its name, and which jobs it takes.
pub trait Claimant: Sync {
    /// Reserves a slot for a job, from before the claim to the job's end.
    type Ticket: Send;

    /// The worker's name.
    fn name(&self) -> &WorkerName;

    /// Whether the worker takes jobs of this queue now.
    fn is_open(&self, queue: &Queue) -> bool;

    /// Whether the worker polls this queue before others of the same priority.
    fn prefers(&self, queue: &Queue) -> bool;

    /// Whether the worker takes this job. Must not block: slow checks are done before the poll.
    ///
    /// # Errors
    /// Why the job is declined, and what becomes of it.
    fn admit(&self, job: &Job, lane: &Lane) -> Result<Self::Ticket, Decline>;
}

/// Why a fetched job is not claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// Other workers may have the job; this worker is offered it again after this time.
    Leave(SignedDuration),
    /// The worker has no slot for any job of this lane; the rest of the poll offers it none. It is offered them again
    /// after this time.
    Full(SignedDuration),
    /// The batch is paused: the job is parked until the batch is resumed.
    Park,
}

/// A claimant that takes every job.
impl Claimant for WorkerName {
    type Ticket = ();

    fn name(&self) -> &WorkerName {
        self
    }

    fn is_open(&self, _: &Queue) -> bool {
        true
    }

    fn prefers(&self, _: &Queue) -> bool {
        false
    }

    fn admit(&self, _: &Job, _: &Lane) -> Result<(), Decline> {
        Ok(())
    }
}

/// How long a poll may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PollEffort {
    /// The poll may search for a job that the worker takes.
    Thorough,
    /// Another poll is due: no lane is fetched from twice any more.
    Brief,
    /// The poll ends with the jobs that are claimed by now.
    Stop,
}

/// The result of a poll.
pub struct PollResult<T> {
    /// The claimed jobs, the most urgent first, each with the claimant's ticket.
    pub claims: Vec<(Claim, T)>,
    /// A lane in which more jobs wait.
    pub more: Option<Lane>,
    /// Jobs that failed for good in this poll, because their last owner vanished.
    pub dead_letters: Vec<Run>,
    /// Completed members of ladders, parts of split jobs and joined jobs whose messages came again. Each waits for what
    /// follows from its completion.
    pub completed: Vec<CompletedJob>,
}

impl Broker {
    /// Claims the most urgent jobs of these lanes, up to `most`; jobs of equal priority in the order in which they
    /// were enqueued.
    pub async fn poll<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
    ) -> Result<PollResult<C::Ticket>, BrokerError> {
        let (_calm, effort) = watch::channel(PollEffort::Thorough);
        self.poll_in(lanes, claimant, most, &effort).await
    }

    /// Like [`Self::poll`], with an effort that may change meanwhile. The future must not be dropped: the jobs that
    /// it has claimed would be lost.
    pub async fn poll_in<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
        effort: &watch::Receiver<PollEffort>,
    ) -> Result<PollResult<C::Ticket>, BrokerError> {
        let mut result = PollResult {
            claims: Vec::new(),
            more: None,
            dead_letters: Vec::new(),
            completed: Vec::new(),
        };
        let searched = self
            .search_all(lanes, claimant, most, effort, &mut result)
            .await;
        match searched {
            // Jobs that are claimed already must not be lost because of a later failure.
            Err(error)
                if result.claims.is_empty()
                    && result.dead_letters.is_empty()
                    && result.completed.is_empty() =>
            {
                Err(error)
            }
            Err(error) => {
                tracing::warn!(%error, "some lanes were not polled");
                Ok(result)
            }
            Ok(()) => Ok(result),
        }
    }
}
