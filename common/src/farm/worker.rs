//! Heartbeats: what a live worker publishes of itself.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::farm::card::Capabilities;
use crate::farm::places::Places;
use crate::farm::queue::Queue;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::id::JobId;
use crate::names::location::Location;
use crate::recipe::encoder::Encoder;
use crate::wire;

/// Whether a worker takes jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerStatus {
    /// It takes jobs whenever a slot is free.
    Ready,
    /// It drains or stops: it finishes its running jobs and takes no more.
    Draining,
    /// It has drained: it runs no job and takes no more.
    Drained,
    /// It takes no more until its working hours begin.
    OffHours,
    /// It takes no jobs, because several in a row and then a proof encode failed by its fault. It takes jobs again
    /// once its encoders have passed again, or a person resumes it.
    Quarantined,
}

impl WorkerStatus {
    /// The status in words, with the time when it changes, from [`Heartbeat::until`].
    pub fn in_words(self, until: Option<Timestamp>) -> String {
        match (self, until) {
            (Self::Quarantined, Some(at)) => {
                format!("quarantined, and proves its encoders again at {at:.0}")
            }
            (Self::Quarantined, None) => "quarantined, and is proving its encoders".to_owned(),
            (_, Some(until)) => format!("{self} until {until:.0}"),
            (_, None) => self.to_string(),
        }
    }
}

impl fmt::Display for WorkerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Drained => "drained",
            Self::OffHours => "off hours",
            Self::Quarantined => "quarantined",
        })
    }
}

/// What a worker is willing to take, of what it has proved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Smallest input that it takes, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u64>,
    /// Largest input that it takes, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// The only queues that it serves; empty for all that it can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Queue>,
    /// Queues that it polls before others of the same priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<Queue>,
}

impl Terms {
    /// Whether it takes inputs of this size, in bytes.
    pub fn admit(&self, size: u64) -> bool {
        self.min_size.is_none_or(|least| size >= least)
            && self.max_size.is_none_or(|most| size <= most)
    }
}

/// The state that a worker publishes every few seconds, under its name in the bucket `workers`. A worker without a
/// heartbeat there is not alive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// The worker's name.
    pub name: WorkerName,
    /// Whether it takes jobs.
    pub status: WorkerStatus,
    /// Why it takes no jobs, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it takes jobs again, if known. In quarantine: when it next proves its encoders; `None` while it does so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it is willing to take.
    #[serde(default)]
    pub terms: Terms,
    /// When this process started.
    pub started: Timestamp,
    /// When this heartbeat was made, by the worker's clock.
    pub at: Timestamp,
    /// Most jobs that it runs at once.
    pub slots: u32,
    /// Jobs that it runs now.
    pub running: Vec<JobId>,
    /// How busy the machine is.
    pub load: Load,
    /// What it has proved that it can do.
    pub card: Capabilities,
    /// Where it may read and write.
    #[serde(default)]
    pub places: Places,
    /// Stores and folders that it cannot reach now; it starts no job that needs one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
    /// Seconds by which its clock is ahead of the broker's; negative if it is behind.
    #[serde(default)]
    pub clock_ahead: f64,
}

impl wire::Message for Heartbeat {}

/// A bucket or folder that a worker cannot reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// The bucket (`s3://bucket/`) or the folder.
    pub place: Location,
    /// Since when, by the broker's clock.
    pub since: Timestamp,
    /// The error of the store or the system.
    pub error: String,
    /// Whether it can still be read, and only refuses writes, e.g. because a disk is full.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_writing: bool,
}

impl Away {
    /// Whether the job needs this place.
    pub fn keeps_from(&self, job: &Job) -> bool {
        let holds = |location: &Location| location.is_below(&self.place);
        let mut inputs = job.inputs().map(|input| &input.location);
        holds(&job.output) || (!self.only_writing && inputs.any(holds))
    }
}

impl Heartbeat {
    /// A clock that is ahead or behind by more than this is reported.
    pub const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(5);

    /// Whether the worker's clock is wrong by more than [`Heartbeat::CLOCK_OFF`].
    pub fn is_clock_off(&self) -> bool {
        self.clock_ahead.abs() > Self::CLOCK_OFF.as_secs_f64()
    }

    /// Whether it takes jobs of this queue, now or when a slot is free.
    pub fn serves(&self, queue: &Queue) -> bool {
        self.card.serves(&self.name, queue)
            && (self.terms.only.is_empty() || self.terms.only.contains(queue))
    }

    /// Whether it would encode a job that waits in this queue with this encoder, now or once a slot is free.
    pub fn encodes(&self, job: &Job, queue: &Queue, encoder: &Encoder) -> bool {
        let is_named = match queue {
            Queue::On(name) => self.name == *name,
            queue => self.terms.only.is_empty() || self.terms.only.contains(queue),
        };
        is_named
            && self.status == WorkerStatus::Ready
            && self.card.proof(encoder).is_some()
            && self.terms.admit(job.bytes())
            && self.places.admit_all(&job.needed()).is_ok()
            && self.keeps_from(job).is_none()
    }

    /// A place that the job needs and this worker cannot reach now.
    pub fn keeps_from(&self, job: &Job) -> Option<&Away> {
        self.away.iter().find(|away| away.keeps_from(job))
    }
}

/// How busy a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Share of all cores in use, 0 to 1.
    pub cpu: f32,
    /// Memory in use, in bytes.
    pub memory_used: u64,
    /// Free space for scratch files, in bytes.
    pub scratch_free: u64,
    /// Memory of the worker process itself, in bytes.
    pub own_memory: u64,
}
