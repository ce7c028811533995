//! Classes of workers: what an autoscaler starts more of.

use std::collections::BTreeSet;

use crate::farm::queue::Queue;
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::recipe::encoder::Encoder;

/// Workers that are alike: what each of them takes jobs from, and how their names begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    queues: BTreeSet<Queue>,
    prefix: String,
}

/// The queues make no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    /// No queue was named.
    #[error("name the class's encoders or queues")]
    Empty,
    /// The queue is for one worker, which exists already.
    #[error("{0} is the queue of one worker: no other can take its jobs")]
    Pinned(Queue),
}

impl Class {
    /// The workers that take jobs from any of these queues.
    ///
    /// # Errors
    /// There is none, or one of them is for a single worker.
    pub fn of_queues(queues: impl IntoIterator<Item = Queue>) -> Result<Self, ClassError> {
        let queues: BTreeSet<Queue> = queues.into_iter().collect();
        let pinned = queues.iter().find(|queue| matches!(queue, Queue::On(_)));
        match pinned {
            Some(pinned) => Err(ClassError::Pinned(pinned.clone())),
            None if queues.is_empty() => Err(ClassError::Empty),
            None => Ok(Self {
                queues,
                prefix: String::new(),
            }),
        }
    }

    /// The queues of workers that have proved an encoder: its own, and that of any encoder of its codec.
    pub fn queues_of(encoder: &Encoder) -> impl Iterator<Item = Queue> {
        let any = encoder.codec().map(Queue::Any);
        std::iter::once(Queue::Encoder(encoder.clone())).chain(any)
    }

    /// Only workers whose names begin like this belong to the class.
    #[must_use]
    pub fn named(self, prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            ..self
        }
    }

    /// The queues of the class.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.iter()
    }

    /// Whether a worker of this name may belong to the class.
    pub fn names(&self, worker: &WorkerName) -> bool {
        worker.as_str().starts_with(&self.prefix)
    }

    /// Whether a live worker belongs to the class, also while it takes no jobs.
    pub fn has(&self, worker: &Heartbeat) -> bool {
        self.names(&worker.name) && self.queues.iter().any(|queue| worker.serves(queue))
    }

    /// Whether a worker of the class takes a job from any of these queues.
    pub fn takes_any(&self, queues: &[Queue]) -> bool {
        queues.iter().any(|queue| self.queues.contains(queue))
    }
}
