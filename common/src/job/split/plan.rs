//! Plans: where the chunks of a film begin and end.

use serde::{Deserialize, Serialize};

use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::Job;
use crate::wire;

/// A range of the frames of a film, which one worker encodes. Times are in units of [`Film::time_base`], as the source
/// has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chunk {
    /// The time of its first frame.
    pub start: i64,
    /// The time of the first frame after it; for the last chunk, the end of the film.
    pub end: i64,
    /// The number of its frames.
    pub frames: u64,
    /// The time of the keyframe from which it is decoded, at `start` or before.
    pub decode_from: i64,
}

/// What a split needs to know about the film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Film {
    /// The number of the film's stream in the source.
    pub stream: usize,
    /// The unit of times, in seconds: numerator and denominator.
    pub time_base: (u32, u32),
}

/// How a job is split. It is written once, before the parts are enqueued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The whole job.
    pub job: Job,
    /// The queue of the parts.
    pub queue: Queue,
    /// Their priority, when the plan was made.
    pub priority: Priority,
    /// The film.
    pub film: Film,
    /// The chunks, in the order of the film.
    pub chunks: Vec<Chunk>,
    /// Whether there is a part for all tracks but the film.
    pub has_rest: bool,
    /// What the worker that made the plan found in the source, in its own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed: Option<serde_json::Value>,
}

impl wire::Message for Plan {}

impl Plan {
    /// The lane of the parts.
    pub fn lane(&self) -> Lane {
        Lane {
            queue: self.queue.clone(),
            priority: self.priority,
        }
    }

    /// The frames of the film.
    pub fn frames(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.frames).sum()
    }
}
