//! A job: one input to be encoded to one output by one recipe.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{BatchId, JobId};
use crate::location::Location;
use crate::recipe::Recipe;

/// What is to be done. Written once, when it is enqueued; its queue and
/// priority stand in its subject, so that they can change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its identity, made from the fields below that say what is to be done.
    pub id: JobId,
    /// What it was enqueued with.
    pub batch: BatchId,
    /// What is read. It is never written to.
    pub input: Input,
    /// What appears, whole and verified, when the job is done.
    pub output: Location,
    /// How.
    pub recipe: Recipe,
    /// How often it may be tried, crashes of workers included.
    pub attempts: u32,
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
            enqueued: Timestamp::now(),
        }
    }
}

/// One exact version of a media file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Where it is.
    pub location: Location,
    /// Its size in bytes.
    pub size: u64,
    /// What else tells it from another version of the same name: the store's
    /// etag, or the time of the last change.
    pub version: String,
}
