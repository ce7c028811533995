//! Standing orders: what people paused, and the hours that they set. An order
//! is in force until it is taken back, whoever restarts meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::id::BatchId;
use crate::queue::Queue;
use crate::worker::WorkerName;

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The jobs of a queue.
    Queue(Queue),
    /// A worker.
    Worker(WorkerName),
    /// The jobs that were enqueued together.
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

/// The key names nothing that can be given orders.
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

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Nothing new is to be started.
    pub paused: bool,
    /// The hours in which a worker may start jobs, in place of those that it
    /// was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Since when.
    pub since: Timestamp,
}

/// All orders that are in force.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controls(BTreeMap<Target, Order>);

impl FromIterator<(Target, Order)> for Controls {
    fn from_iter<I: IntoIterator<Item = (Target, Order)>>(orders: I) -> Self {
        Self(orders.into_iter().collect())
    }
}

impl Controls {
    /// The order about a target.
    pub fn order(&self, target: &Target) -> Option<&Order> {
        self.0.get(target)
    }

    /// Whether nothing new of it is to be started.
    pub fn is_paused(&self, target: &Target) -> bool {
        self.order(target).is_some_and(|order| order.paused)
    }

    /// Every order.
    pub fn iter(&self) -> impl Iterator<Item = (&Target, &Order)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
