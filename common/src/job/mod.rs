//! A job: one input to be encoded to one output by one recipe.

pub mod batch;
pub mod changes;
pub mod event;
pub mod failure;
pub mod id;
pub mod input;
pub mod media_info;
pub mod progress;
pub mod record;
pub mod run;
pub mod state;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::farm::queue::Queue;
use crate::job::id::{BatchId, JobId};
use crate::job::input::Input;
use crate::names::location::Location;
use crate::recipe::Recipe;

/// What is to be done. Written once, when it is enqueued; its queue and
/// priority stand in its subject, so that they can change. One that is read has
/// passed [`Job::check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Job {
    /// Its identity, made from the fields below that say what is to be done.
    pub id: JobId,
    /// What it was enqueued with.
    pub batch: BatchId,
    /// What is read. It is never written to.
    pub input: Input,
    /// What appears, whole and verified, when the job is done.
    pub output: Location,
    /// What is done with the input.
    pub recipe: Recipe,
    /// How often it may be tried, crashes of workers included.
    pub attempts: u32,
    /// Whether what is at the output may be replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Further queues that it may wait in, and when.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "hops")]
    pub fallbacks: Option<Fallbacks>,
    /// When it was enqueued.
    pub enqueued: Timestamp,
}

impl Job {
    /// Attempts that a job has unless its owner says otherwise.
    pub const ATTEMPTS: u32 = 3;

    /// A new job, now.
    pub fn new(
        batch: BatchId,
        input: Input,
        output: Location,
        recipe: Recipe,
        salt: Option<Uuid>,
    ) -> Self {
        Self {
            id: JobId::of(&input, &recipe, &output, salt),
            batch,
            input,
            output,
            recipe,
            attempts: Self::ATTEMPTS,
            replace: false,
            fallbacks: None,
            enqueued: Timestamp::now(),
        }
    }

    /// What a worker must be able to read and write for it.
    pub fn needed(&self) -> [Location; 2] {
        [self.input.location.clone(), self.output.clone()]
    }
}

/// Queues that a job may wait in besides its first, once it has waited long
/// enough. Never without being asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fallbacks {
    /// The queues, in the order in which they are opened to it.
    pub queues: Vec<Queue>,
    /// Seconds that it waits before each further queue is opened to it.
    pub after: u64,
}

impl Fallbacks {
    /// Each further queue with the time from which on the job may be taken
    /// from it, for one that begins to wait now.
    pub fn openings(&self, now: Timestamp) -> impl Iterator<Item = (&Queue, Timestamp)> {
        let after = i64::try_from(self.after).unwrap_or(i64::MAX);
        (1..).zip(&self.queues).filter_map(move |(nth, queue)| {
            let wait = SignedDuration::from_secs(after.checked_mul(nth)?);
            Some((queue, now.checked_add(wait).ok()?))
        })
    }
}
