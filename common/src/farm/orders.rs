//! Orders: pauses, drains and working hours. An order is in force until a person takes it back, even if programs
//! restart meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::hours::Hours;
use crate::farm::queue::Queue;
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::wire;

/// What an order applies to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The jobs of a queue.
    Queue(Queue),
    /// A worker.
    Worker(WorkerName),
    /// The jobs of a batch.
    Batch(BatchId),
}

/// The key in the bucket `control`: `queue.<queue>`, `worker.<worker>`, `batch.<id>`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(queue) => write!(f, "queue.{queue}"),
            Self::Worker(worker) => write!(f, "worker.{worker}"),
            Self::Batch(batch) => write!(f, "batch.{batch}"),
        }
    }
}

/// The key names no target.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no target: queue.NAME, worker.NAME or batch.ID")]
pub struct TargetError(String);

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        let target = match key.split_once('.') {
            Some(("queue", name)) => name.parse().ok().map(Self::Queue),
            Some(("worker", name)) => name.parse().ok().map(Self::Worker),
            Some(("batch", id)) => id.parse().ok().map(Self::Batch),
            _ => None,
        };
        target.ok_or_else(|| TargetError(key.to_owned()))
    }
}

/// An order about one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Whether no further job of the target is started.
    pub paused: bool,
    /// Working hours of a worker, in place of those of its command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// When the order was given.
    pub since: Timestamp,
}

impl wire::Message for Order {}

impl Order {
    fn unless_idle(paused: bool, hours: Option<Hours>, since: Timestamp) -> Option<Self> {
        (paused || hours.is_some()).then_some(Self {
            paused,
            hours,
            since,
        })
    }
}

/// All orders that are in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orders(BTreeMap<Target, Order>);

impl FromIterator<(Target, Order)> for Orders {
    fn from_iter<I: IntoIterator<Item = (Target, Order)>>(orders: I) -> Self {
        Self(orders.into_iter().collect())
    }
}

impl Orders {
    /// The order about a target.
    pub fn order(&self, target: &Target) -> Option<&Order> {
        self.0.get(target)
    }

    /// Whether no further job of the target is started.
    pub fn is_paused(&self, target: &Target) -> bool {
        self.order(target).is_some_and(|order| order.paused)
    }

    /// The order that pauses or resumes a target and keeps its hours; `None` if no order is left.
    pub fn pausing(&self, target: &Target, paused: bool, now: Timestamp) -> Option<Order> {
        let hours = self.order(target).and_then(|order| order.hours.clone());
        Order::unless_idle(paused, hours, now)
    }

    /// The order that sets a worker's hours, or with `None` restores those of its command line, and keeps its pause;
    /// `None` if no order is left.
    pub fn setting_hours(
        &self,
        worker: &WorkerName,
        hours: Option<Hours>,
        now: Timestamp,
    ) -> Option<Order> {
        let paused = self.is_paused(&Target::Worker(worker.clone()));
        Order::unless_idle(paused, hours, now)
    }

    /// Every order with its target.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Order)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_worker_keeps_its_hours() {
        let now = Timestamp::now();
        let worker: WorkerName = "w1".parse().expect("a name");
        let target = Target::Worker(worker.clone());
        let hours: Option<Hours> = Some("22:00-07:00".parse().expect("hours"));
        let with = |order: Option<Order>| -> Orders {
            order
                .map(|order| (target.clone(), order))
                .into_iter()
                .collect()
        };
        let set = Orders::default().setting_hours(&worker, hours.clone(), now);
        let drained = with(set).pausing(&target, true, now);
        assert!(drained.as_ref().is_some_and(|order| order.paused));
        let resumed = with(drained).pausing(&target, false, now);
        assert_eq!(
            resumed.as_ref().and_then(|order| order.hours.clone()),
            hours
        );
        assert_eq!(with(resumed).setting_hours(&worker, None, now), None);
    }

    #[test]
    fn every_target_reads_back_from_its_key() {
        for key in [
            "queue.any_hevc",
            "worker.mini-pc",
            "batch.9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab",
        ] {
            let target: Target = key.parse().expect("a target");
            assert_eq!(target.to_string(), key);
        }
        for key in ["queue.a.b", "farm.x", "batch.x", "worker"] {
            assert!(key.parse::<Target>().is_err(), "{key}");
        }
    }
}
