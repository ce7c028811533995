//! What an autoscaler keeps on the broker: its rules, its lease, the workers that it has started, and its last decisions.
//! All of its state is there, so that an autoscaler that starts again goes on where the last one stopped.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::farm::queue::Queue;
use crate::farm::worker_name::WorkerName;
use crate::matching::scale::{Class, ClassError, Scale, Untaken};
use crate::names::token::Token;
use crate::wire;

/// Decisions that are kept.
const DECISIONS: usize = 20;
/// The wait after the first failed start, which doubles with each further one, and the longest.
const BACK_OFF: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(600)];

/// What an autoscaler may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AutoscalerRules))]
pub struct Rules {
    /// Workers that it keeps, whatever waits.
    pub min: u32,
    /// The most workers of its own at once.
    pub max: u32,
    /// Jobs that each of its workers runs at once.
    #[cfg_attr(feature = "openapi", schema(value_type = u32))]
    pub jobs_per_worker: NonZeroU32,
    /// The most workers that it starts in a minute.
    pub up_per_minute: u32,
    /// The most workers that it drains in a minute.
    pub down_per_minute: u32,
    /// Seconds for which a worker must be idle before it is drained.
    pub cool_down: u64,
    /// Seconds within which a started worker must appear in the farm. After that, its start has failed.
    pub start_within: u64,
}

/// The record of an autoscaler.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Autoscaler {
    /// Its name; those of its workers begin with it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: Token,
    /// The queues of its class.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub queues: Vec<Queue>,
    /// What it may do.
    pub rules: Rules,
    /// Who holds it.
    pub lease: AutoscalerLease,
    /// The last numbers of its class; `None` while nobody tells them.
    pub scale: Option<Scale>,
    /// The workers that it has started and that have not left, by name.
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, Started>))]
    pub workers: BTreeMap<WorkerName, Started>,
    /// When it started workers, within the last minute.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub ups: Vec<Timestamp>,
    /// When it drained workers, within the last minute.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub downs: Vec<Timestamp>,
    /// Starts that failed since the last one that did not.
    pub failures: u32,
    /// No worker is started before this time.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub retry_at: Option<Timestamp>,
    /// Jobs for which it starts no workers, since its workers take none of them.
    #[serde(default, skip_serializing_if = "Untaken::is_nothing")]
    pub untaken: Untaken,
    /// Its last decisions, the latest last.
    pub decisions: Vec<Decision>,
}

impl wire::Message for Autoscaler {}

/// The right of one process to be the autoscaler of this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoscalerLease {
    /// The process.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub holder: Uuid,
    /// The host of the process, for people.
    pub host: String,
    /// When the lease ends, unless it is renewed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

/// A worker that an autoscaler has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = StartedWorker))]
pub struct Started {
    /// When its start was decided.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Whether it has appeared in the farm.
    pub is_seen: bool,
    /// Since when it runs nothing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub idle_since: Option<Timestamp>,
    /// Since when it is drained by the autoscaler.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub drained: Option<Timestamp>,
    /// When its stop was last ordered.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub stopped: Option<Timestamp>,
    /// Since when its heartbeat is missing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub lost: Option<Timestamp>,
}

/// A decision, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ScalingDecision))]
pub struct Decision {
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// What is done: `start cpu-1f, cpu-2a`, `wait`.
    pub action: String,
    /// Why.
    pub reason: String,
}

impl Started {
    /// A worker whose start is decided now.
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            is_seen: false,
            idle_since: None,
            drained: None,
            stopped: None,
            lost: None,
        }
    }
}

impl Autoscaler {
    /// An autoscaler that has done nothing yet.
    pub fn new(name: Token, queues: Vec<Queue>, rules: Rules, lease: AutoscalerLease) -> Self {
        Self {
            name,
            queues,
            rules,
            lease,
            scale: None,
            workers: BTreeMap::new(),
            ups: Vec::new(),
            downs: Vec::new(),
            failures: 0,
            retry_at: None,
            untaken: Untaken::default(),
            decisions: Vec::new(),
        }
    }

    /// The class of its workers.
    ///
    /// # Errors
    /// Its queues make no class.
    pub fn class(&self) -> Result<Class, ClassError> {
        let class = Class::of_queues(self.queues.iter().cloned())?;
        Ok(class.named(self.prefix()))
    }

    /// How the names of its workers begin.
    pub fn prefix(&self) -> String {
        format!("{}-", self.name)
    }

    /// Whether another process may not hold it yet.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.lease.until > now
    }

    /// Notes a decision, unless it says the same as the last one. Returns whether it is news.
    pub fn note(&mut self, decision: Decision) -> bool {
        let last = self.decisions.last();
        let is_news = last.is_none_or(|last| {
            (&last.action, &last.reason) != (&decision.action, &decision.reason)
        });
        if is_news {
            self.decisions.push(decision);
            let surplus = self.decisions.len().saturating_sub(DECISIONS);
            self.decisions.drain(..surplus);
        }
        is_news
    }

    /// The start of a worker has failed: no other is started for a while.
    pub fn start_failed(&mut self, worker: &WorkerName, reason: &str, now: Timestamp) {
        self.workers.remove(worker);
        // Workers that were started together fail together: that is one failure.
        let retry_at = match self.retry_at.filter(|at| *at > now) {
            Some(retry_at) => retry_at,
            None => self.back_off(now),
        };
        self.note(Decision {
            at: now,
            action: format!("wait until {retry_at:.0}"),
            reason: format!("the start of {worker} failed: {reason}"),
        });
    }

    /// Counts a failure. Returns the time of the next start, which is stored.
    fn back_off(&mut self, now: Timestamp) -> Timestamp {
        self.failures = self.failures.saturating_add(1);
        let [first, longest] = BACK_OFF;
        let doubled = first.saturating_mul(2_u32.saturating_pow(self.failures.min(16) - 1));
        let wait = SignedDuration::try_from(doubled.min(longest)).unwrap_or(SignedDuration::MAX);
        let retry_at = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.retry_at = Some(retry_at);
        retry_at
    }
}
