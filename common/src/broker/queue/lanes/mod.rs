//! Lanes: the durable pull consumers of the work queue, as a worker knows them.

pub(crate) mod front;
mod open;
mod stuck;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::consumer::Info;
use tokio::time::Instant;

use crate::broker::error::NoAnswer;
use crate::broker::nats::all_of;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::names::subject::JOBS;

/// The lanes that a worker knows of, the most urgent first. A clone shares what is
/// learned of a lane by polling it.
#[derive(Clone, Default)]
pub struct Lanes {
    known: BTreeMap<Reverse<Lane>, Arc<Known>>,
}

/// What is known of a lane.
pub(crate) struct Known {
    /// How long a job of it may go without a sign of life.
    pub ack_wait: Duration,
    /// How many jobs the next fetch asks for at the least: more than are wanted,
    /// where the last ones were all declined.
    pub reach: AtomicUsize,
    /// Whether the last poll was broken off before it knew all jobs of the lane.
    pub is_unfinished: AtomicBool,
    /// Until when the lane is left to others, as all its jobs were declined.
    rests_until: Mutex<Option<Instant>>,
}

impl Known {
    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the lane to others for a while.
    pub(crate) fn rest(&self, length: Duration) {
        *self.rests_until() = Instant::now().checked_add(length);
    }

    fn end_rest(&self) {
        *self.rests_until() = None;
    }

    /// Whether the lane is left to others.
    pub(crate) fn is_resting(&self) -> bool {
        self.rests_until()
            .is_some_and(|until| Instant::now() < until)
    }
}

impl Lanes {
    /// Each lane, the most urgent first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Lane, &Known)> {
        self.known
            .iter()
            .map(|(lane, known)| (&lane.0, known.as_ref()))
    }

    /// The name of each lane, the most urgent first.
    pub fn names(&self) -> impl Iterator<Item = &Lane> {
        self.known.keys().map(|lane| &lane.0)
    }

    /// Those of these names that are known.
    #[must_use]
    pub fn only<'a>(&self, names: impl IntoIterator<Item = &'a Lane>) -> Self {
        let known = names.into_iter().filter_map(|lane| {
            let lane = Reverse(lane.clone());
            let known = Arc::clone(self.known.get(&lane)?);
            Some((lane, known))
        });
        Self {
            known: known.collect(),
        }
    }

    /// Adds other lanes; of a lane that both know, what the other knows holds.
    pub fn extend(&mut self, other: Self) {
        self.known.extend(other.known);
    }

    /// The shortest lease of them.
    pub fn shortest_ack_wait(&self) -> Option<Duration> {
        self.known.values().map(|known| known.ack_wait).min()
    }

    /// Whether the lane is known.
    pub fn contains(&self, lane: &Lane) -> bool {
        self.known.contains_key(&Reverse(lane.clone()))
    }

    /// A job was published in this lane: it may be one that is not declined.
    pub fn end_rest(&self, lane: &Lane) {
        if let Some(known) = self.known.get(&Reverse(lane.clone())) {
            known.end_rest();
        }
    }

    /// What was declined before may not be any more.
    pub fn end_all_rests(&self) {
        self.known.values().for_each(|known| known.end_rest());
    }

    fn insert(&mut self, lane: Lane, ack_wait: Duration) {
        let known = Known {
            ack_wait,
            reach: AtomicUsize::new(0),
            is_unfinished: AtomicBool::new(false),
            rests_until: Mutex::new(None),
        };
        self.known.insert(Reverse(lane), known.into());
    }
}

impl Broker {
    /// Whether anything waits in these lanes or is held by a worker.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn has_work(&self, lanes: &Lanes) -> Result<bool, BrokerError> {
        // Costs the broker a fraction of asking for each lane, and is true of most farms most of the time.
        if self.nats.first_from(JOBS, ">", 1).await?.is_none() {
            return Ok(false);
        }
        let mut asking = Vec::new();
        for (lane, _) in lanes.iter() {
            asking.push(self.knows_any(lane));
        }
        Ok(all_of(asking).await?.contains(&true))
    }

    /// Whether a lane knows of jobs that wait or are held.
    async fn knows_any(&self, lane: &Lane) -> Result<bool, BrokerError> {
        let info = self.lane_info(lane).await?;
        Ok(info.num_ack_pending > 0 || info.num_pending > 0)
    }

    /// What the broker says of a lane that is there.
    pub(crate) async fn lane_info(&self, lane: &Lane) -> Result<Info, BrokerError> {
        let name = lane.consumer();
        let info = self.nats.consumer(JOBS, &name).await?;
        info.ok_or_else(|| {
            let what = format!("looking at the lane {name}");
            BrokerError::request(what)(NoAnswer::NoConsumer)
        })
    }
}
