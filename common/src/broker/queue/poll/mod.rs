//! Polling the lanes: fetches what waits, most urgent first, offers it to a
//! claimant, and claims what that admits.
//!
//! A poll is a bounded step: each priority is searched for a short time only.
//! Where all that a fetch brought was declined, the next fetch of that lane asks
//! for more, in this poll and in later ones, so that a good job behind many
//! others is reached.
//!
//! Jobs that are declined are kept until their lane is searched through, and are
//! there for other workers at once after that; the worker that declined them
//! leaves the lane alone for a while. Only where the time did not suffice do
//! they come back later, so that the next poll gets on.

mod offer;
mod search;

use jiff::SignedDuration;
use tokio::sync::watch;

use crate::broker::{Broker, BrokerError, Claim, Lanes};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::Run;

/// Who claims, and what it is willing to take.
pub trait Claimant: Sync {
    /// What holds a place for a job from before it is claimed until it has ended.
    type Ticket: Send;

    /// Its name.
    fn name(&self) -> &WorkerName;

    /// Whether it takes jobs of this queue just now.
    fn is_open(&self, queue: &Queue) -> bool;

    /// Whether it polls this queue before others of the same priority.
    fn prefers(&self, queue: &Queue) -> bool;

    /// Whether it takes this job. Must not block: what takes time to find out is
    /// found out before the poll.
    ///
    /// # Errors
    /// What is to become of the job otherwise.
    fn admit(&self, job: &Job, lane: &Lane) -> Result<Self::Ticket, Decline>;
}

/// Why a delivered job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// Others may have it; this worker is offered it again after that long.
    Leave(SignedDuration),
    /// There is no room for any job of this lane: none is asked about in the rest
    /// of the poll. This worker is offered them again after that long.
    Full(SignedDuration),
    /// Its batch is paused: it is put aside until that is over.
    Park,
}

/// Somebody who takes whatever there is.
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
    /// The poll may search for a job that is wanted.
    Thorough,
    /// Another poll is due: no lane is asked twice any more.
    Brief,
    /// What is claimed by now is enough.
    Stop,
}

/// What a poll of the lanes found.
pub struct PollResult<T> {
    /// Jobs, now claimed, the most urgent first.
    pub claims: Vec<(Claim, T)>,
    /// A lane in which more jobs wait behind these.
    pub more: Option<Lane>,
    /// Jobs that failed for good because their last owner vanished.
    pub dead_letters: Vec<Run>,
}

impl Broker {
    /// Takes the most urgent jobs of these lanes, `most` at the most; those of
    /// equal priority in the order in which they were enqueued.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn poll<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
    ) -> Result<PollResult<C::Ticket>, BrokerError> {
        let (_calm, effort) = watch::channel(PollEffort::Thorough);
        self.poll_in(lanes, claimant, most, &effort).await
    }

    /// The same, in as much effort as is said meanwhile. It must be awaited to its
    /// end: what it has claimed would be lost.
    ///
    /// # Errors
    /// Where the broker gives no answer.
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
        };
        let searched = self
            .search_all(lanes, claimant, most, effort, &mut result)
            .await;
        match searched {
            // What is claimed already must not be lost for what could not be.
            Err(error) if result.claims.is_empty() && result.dead_letters.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(%error, "polled some lanes only");
                Ok(result)
            }
            Ok(()) => Ok(result),
        }
    }
}
