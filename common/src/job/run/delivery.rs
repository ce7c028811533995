//! What a delivered message of a job means for its run.

use jiff::{SignedDuration, Timestamp};

use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::run::Run;
use crate::job::run::state::{Requeue, RunState};

/// A message that was delivered: one of a stream, for the first time or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its place in the stream.
    pub sequence: u64,
    /// How often the broker has delivered it.
    pub count: u64,
}

/// One that is delivered for the first time.
impl From<u64> for Delivered {
    fn from(sequence: u64) -> Self {
        Self { sequence, count: 1 }
    }
}

/// What to do with a delivered message of a job that has a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Take the job over.
    TakeOver,
    /// It has an owner: ask for it, and take the job over only where it is gone.
    Ask {
        /// The worker whose claim is in the run.
        owner: WorkerName,
        /// Whether the message was delivered anew since the owner took the job.
        /// An older delivery was overtaken on its way, or the broker has lost
        /// count: then the job is not taken over yet, whatever the owner says.
        is_newer: bool,
    },
    /// A person moved it while this message was on its way: send it there.
    Forward(Lane),
    /// Its other queues are not to be tried yet: ask again after that long.
    Leave(SignedDuration),
    /// The job needs nothing more of this message: acknowledge it and go on.
    Drop,
}

/// How long a message in one of a job's other queues stays back while the job
/// runs.
const WHILE_RUNNING: SignedDuration = SignedDuration::from_secs(30);

impl Run {
    /// What a message that was delivered in this lane means now.
    pub fn on_delivery(&self, lane: &Lane, message: Delivered, now: Timestamp) -> Delivery {
        let is_ours = message.sequence == self.sequence;
        let is_elsewhere = *lane != self.lane();
        // It may wait in several queues at once: then each keeps its message.
        let is_hop = is_elsewhere && self.job.fallbacks.is_some();
        match &self.state {
            state if state.is_terminal() => Delivery::Drop,
            RunState::Running { worker, .. } if is_ours => Delivery::Ask {
                owner: worker.clone(),
                is_newer: message.count > self.delivered,
            },
            RunState::Running { .. } if is_hop => Delivery::Leave(WHILE_RUNNING),
            // A second message while the owner is alive: it was moved twice, or sent twice.
            RunState::Running { .. } => Delivery::Drop,
            RunState::Waiting { until, .. } if is_hop && !is_ours && now < *until => {
                Delivery::Leave(until.duration_since(now))
            }
            RunState::Queued {
                by: Requeue::Pinned,
            } if is_elsewhere => Delivery::Forward(self.lane()),
            RunState::Queued { .. } | RunState::Waiting { .. }
                if is_elsewhere && !is_hop && !is_ours =>
            {
                Delivery::Forward(self.lane())
            }
            _ => Delivery::TakeOver,
        }
    }
}
