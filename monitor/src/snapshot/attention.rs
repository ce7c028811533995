//! What a person should look at first.

use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::moment::Moment;
use crate::snapshot::queues::Unserved;
use crate::snapshot::workers::Presence;

/// What a person should look at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// Jobs wait that no worker can take.
    Unserved {
        /// Why none takes them.
        why: Unserved,
        /// The jobs.
        waiting: Vec<Held>,
    },
    /// Workers take no jobs, all of them for one cause.
    Unavailable {
        /// Which.
        cause: Presence,
        /// The workers, by name.
        workers: Vec<Unavailable>,
        /// What waits for them.
        waiting: Vec<Held>,
    },
    /// Workers cannot reach a store or a folder.
    PlaceAway {
        /// The bucket or the folder.
        place: String,
        /// How many cannot.
        workers: usize,
        /// One of them.
        #[schema(value_type = String)]
        worker: WorkerName,
        /// Since when.
        since: Moment,
        /// What the store or the system says to that one.
        error: String,
    },
    /// A worker's clock is far from the broker's.
    ClockOff {
        /// Who.
        #[schema(value_type = String)]
        worker: WorkerName,
        /// Seconds by which it is ahead; negative where it is behind.
        ahead: f64,
    },
    /// Things on the broker cannot be read.
    Unreadable {
        /// How many.
        count: usize,
        /// The subject of the first.
        subject: String,
        /// What is wrong with it.
        why: String,
    },
    /// Jobs failed lately.
    Failed {
        /// How many.
        count: usize,
        /// The latest.
        #[schema(value_type = String)]
        job: JobId,
        /// Its name.
        name: String,
        /// Why it failed.
        reason: String,
        /// When.
        at: Moment,
    },
}

/// Jobs that wait in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Held {
    /// Which queue.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// How many.
    pub pending: u64,
    /// Where no worker has proved the encoder: others of the same codec that
    /// live workers have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub alternatives: Vec<Encoder>,
}

/// A worker that takes no jobs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Unavailable {
    /// Who.
    #[schema(value_type = String)]
    pub worker: WorkerName,
    /// Why, in its own words.
    pub note: Option<String>,
    /// When that changes; in quarantine, when it next proves its encoders.
    pub until: Option<Moment>,
    /// When it was last heard of, where it is lost.
    pub last_seen: Option<Moment>,
    /// Jobs that it runs, or ran when it was last heard of.
    pub running: usize,
}
