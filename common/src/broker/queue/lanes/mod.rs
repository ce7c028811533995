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

/// The lanes that a worker knows, the most urgent first. Clones share what polling teaches about a lane.
#[derive(Clone, Default)]
pub struct Lanes {
    known: BTreeMap<Reverse<Lane>, Arc<Known>>,
}

/// A worker's knowledge of one lane.
pub(crate) struct Known {
    /// How long a job of the lane may go without a sign of life.
    pub ack_wait: Duration,
    /// Least number of jobs that the next fetch asks for. It exceeds the number of free slots if all jobs of the last
    /// fetches were declined.
    pub reach: AtomicUsize,
    /// Whether the last poll ended before it had seen all jobs of the lane.
    pub is_unfinished: AtomicBool,
    /// Until when the lane is left to other workers, because all its jobs were declined.
    rests_until: Mutex<Option<Instant>>,
}

impl Known {
    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the lane to other workers for this time.
    pub(crate) fn rest(&self, length: Duration) {
        *self.rests_until() = Instant::now().checked_add(length);
    }

    fn end_rest(&self) {
        *self.rests_until() = None;
    }

    /// Whether the lane is left to other workers now.
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

    /// The known lanes among these names.
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

    /// Adds other lanes; for a lane that both know, the other's knowledge is kept.
    pub fn extend(&mut self, other: Self) {
        self.known.extend(other.known);
    }

    /// The shortest ack wait of all lanes; `None` without a lane.
    pub fn shortest_ack_wait(&self) -> Option<Duration> {
        self.known.values().map(|known| known.ack_wait).min()
    }

    /// Whether the lane is known.
    pub fn contains(&self, lane: &Lane) -> bool {
        self.known.contains_key(&Reverse(lane.clone()))
    }

    /// Ends the rest of a lane in which a job was published: that job may not be declined.
    pub fn end_rest(&self, lane: &Lane) {
        if let Some(known) = self.known.get(&Reverse(lane.clone())) {
            known.end_rest();
        }
    }

    /// Ends the rests of all lanes: a job that was declined before may be taken now.
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
    /// Whether any job of these lanes waits, or is held by a worker.
    pub async fn has_work(&self, lanes: &Lanes) -> Result<bool, BrokerError> {
        // Costs the broker a fraction of asking for each lane, and the stream of most farms is empty most of the
        // time.
        if self.nats.first_from(JOBS, ">", 1).await?.is_none() {
            return Ok(false);
        }
        let mut asking = Vec::new();
        for (lane, _) in lanes.iter() {
            asking.push(self.knows_any(lane));
        }
        Ok(all_of(asking).await?.contains(&true))
    }

    /// Whether jobs of a lane wait or are held.
    async fn knows_any(&self, lane: &Lane) -> Result<bool, BrokerError> {
        let info = self.lane_info(lane).await?;
        Ok(info.num_ack_pending > 0 || info.num_pending > 0)
    }

    /// The broker's information about the consumer of a lane; an error if there is none.
    pub(crate) async fn lane_info(&self, lane: &Lane) -> Result<Info, BrokerError> {
        let name = lane.consumer();
        let info = self.nats.consumer(JOBS, &name).await?;
        info.ok_or_else(|| {
            let what = format!("looking at the lane {name}");
            BrokerError::request(what)(NoAnswer::NoConsumer)
        })
    }
}
