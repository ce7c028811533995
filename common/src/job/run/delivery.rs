//! What a delivered message of a job means for its run.

use jiff::{SignedDuration, Timestamp};

use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::run::Run;
use crate::job::run::state::{Requeue, RunState};

/// The delivery of a message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The message's sequence in the stream.
    pub sequence: u64,
    /// How often the broker has delivered the message, this time included.
    pub count: u64,
}

/// The first delivery of a message.
impl From<u64> for Delivered {
    fn from(sequence: u64) -> Self {
        Self { sequence, count: 1 }
    }
}

/// What a worker does with a delivered message of a job that has a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Claim the job: no worker owns it.
    TakeOver,
    /// Claim the job if all of its parts are done. Otherwise acknowledge the message: whoever completes the last part
    /// sends another one.
    Join,
    /// Ask the owner, and take the job over only if it is gone.
    Ask {
        /// The worker whose claim is in the run.
        owner: WorkerName,
        /// Whether the message was delivered again since the owner claimed the job. If not, this delivery was
        /// overtaken on its way, or the broker has lost its count: then the job is not taken over yet, whatever the
        /// owner answers.
        is_newer: bool,
    },
    /// Send the job to this lane: a person moved it while the message was on its way.
    Forward(Lane),
    /// Decline the message for this time: the job may not be taken from this queue yet.
    Leave(SignedDuration),
    /// Acknowledge the message: the job needs no further delivery.
    Drop,
}

/// How long a message in one of a job's fallbacks is declined while the job runs.
const WHILE_RUNNING: SignedDuration = SignedDuration::from_secs(30);

impl Run {
    /// The broker has lost the message by which the job was claimed, and this one was stored in its place.
    pub fn sent_again(&self, sequence: u64) -> Self {
        Self {
            sequence,
            delivered: 0,
            ..self.clone()
        }
    }

    /// What a message that was delivered in this lane means now.
    pub fn on_delivery(&self, lane: &Lane, message: Delivered, now: Timestamp) -> Delivery {
        let is_ours = message.sequence == self.sequence;
        let is_elsewhere = *lane != self.lane();
        // A job with fallbacks may wait in several queues at once, each with its own message.
        let is_fallback = is_elsewhere && self.job.fallbacks.is_some();
        match &self.state {
            state if state.is_terminal() => Delivery::Drop,
            RunState::Split { .. } => Delivery::Join,
            RunState::Running { worker, .. } if is_ours => Delivery::Ask {
                owner: worker.clone(),
                is_newer: message.count > self.delivered,
            },
            RunState::Running { .. } if is_fallback => Delivery::Leave(WHILE_RUNNING),
            // A second message while the owner is alive: the job was moved or sent twice.
            RunState::Running { .. } => Delivery::Drop,
            RunState::Waiting { until, .. } if is_fallback && !is_ours && now < *until => {
                Delivery::Leave(until.duration_since(now))
            }
            RunState::Queued { by: Requeue::Moved } if is_elsewhere => {
                Delivery::Forward(self.lane())
            }
            RunState::Queued { .. } | RunState::Waiting { .. }
                if is_elsewhere && !is_fallback && !is_ours =>
            {
                Delivery::Forward(self.lane())
            }
            _ => Delivery::TakeOver,
        }
    }
}
