//! A run: the record of a job since a worker first claimed it, or a person changed it.
//!
//! ```text
//!             claim               gate passed
//!  (pending) ────────► Running ────────────────► Completed
//!      │                │ ▲  │
//!  move│  release,      │ │  ├─ not worth a retry, or attempts spent ──► Failed ─┐
//!      │  move          ▼ │  │                                                  │
//!      └─────────────► Queued └─ cancel ──► Cancelled ──────────────────────────┤
//!                       ▲ │                                                     │
//!                       │ └─ retry by a person ◄────────────────────────────────┘
//!  attempt failed ──► Waiting   (claimed again, one attempt later)
//!  Running ──► Split ──► Running   (parts enqueued, all parts done; or a part failed ──► Failed)
//!                └─────► Queued    (its parts cannot give the film: to be encoded as a whole)
//! ```
//!
//! A job that is in the work queue and has no run is pending: enqueueing is one write, and nothing can disagree with
//! it. A run is written by compare-and-set only, so its revision decides who owns the job. While no worker owns the
//! job, the run names its lane, and a worker that gets its message from another lane forwards it. Everything here is
//! pure; [`crate::broker`] does the writing.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::run::fence::Fence;
use crate::job::run::kept::KeptReport;
use crate::job::run::report::Report;
use crate::job::split::{Split, SplitReport};
use crate::job::state::{JobState, TooLate};
use crate::names::digest::Digest;
use crate::wire;
use crate::wire::is_default;

mod attempts;
mod delivery;
pub mod fence;
pub mod health;
pub mod kept;
pub mod quality;
pub mod report;
mod state;
mod validity;

pub use attempts::{Attempt, MOST_WORKERS};
pub use delivery::{Delivered, Delivery};
pub use state::{Requeue, RunState, Stage};
pub use validity::{MOST_CLAIMS, Unsound};

/// The record of a job. A decoded run has passed [`Run::check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(description = "The record of a job."))]
pub struct Run {
    /// The whole job: once it has ended, this is the only copy.
    pub job: Job,
    /// The queue from which the job was claimed, or is to be claimed; of a job whose pieces are joined, that of its
    /// parts.
    pub queue: Queue,
    /// Its priority there.
    pub priority: Priority,
    /// How often the job was claimed. Tells an owner from earlier ones.
    pub attempt: u32,
    /// How many of these claims use up no attempt: the job was released, moved away, failed by a passing fault, or
    /// was retried by a person afterwards.
    pub returned: u32,
    /// The last attempt before a person retried the job; 0 if no person did.
    #[serde(default, skip_serializing_if = "is_default")]
    pub renewed: u32,
    /// Stream sequence of the message by which the job was last claimed; 0 if it never was.
    pub sequence: u64,
    /// How often the broker had delivered that message by then: an older delivery of the same message says nothing
    /// about the owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delivered: u64,
    /// What the last attempt to reach the fence was about to publish. It stays until the job is completed or another
    /// fence replaces it: only by it is an output recognised as this job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// Digest of the output of a completed job, to verify copies; `None` for runs of old programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<Digest>,
    /// The state, with its data.
    pub state: RunState,
    /// Failed attempts, oldest first. Of many that used up no attempt, only the first and the last are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Attempt>,
    /// When the run was last written, by the broker's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub changed: Timestamp,
}

impl wire::Message for Run {
    fn version(&self) -> u32 {
        wire::Message::version(&self.job)
    }
}

impl Run {
    /// The run of a job that no worker has claimed yet, so that a person's change can be stored.
    pub fn unclaimed(job: Job, lane: &Lane, now: Timestamp) -> Self {
        Self {
            job,
            queue: lane.queue.clone(),
            priority: lane.priority,
            attempt: 0,
            returned: 0,
            renewed: 0,
            sequence: 0,
            delivered: 0,
            fence: None,
            output_digest: None,
            state: RunState::Queued {
                by: Requeue::Person,
            },
            failures: Vec::new(),
            changed: now,
        }
    }

    /// The first attempt at a job.
    pub fn first(
        job: Job,
        lane: &Lane,
        message: impl Into<Delivered>,
        worker: WorkerName,
        now: Timestamp,
    ) -> Self {
        Self::unclaimed(job, lane, now).take_over(lane, message, worker, now)
    }

    /// The lane from which the job was claimed, or is to be claimed.
    pub fn lane(&self) -> Lane {
        Lane {
            priority: self.priority,
            queue: self.queue.clone(),
        }
    }

    /// Whether the owner may publish the output at any moment.
    pub fn is_publishing(&self) -> bool {
        matches!(
            self.state,
            RunState::Running {
                stage: Stage::Publishing,
                ..
            }
        )
    }

    /// The next attempt, by a new owner; none after [`MOST_CLAIMS`]. If the run is still running, its worker
    /// vanished, and that counts as a failed attempt; if it was the last one, the run has failed for good instead.
    pub fn take_over(
        &self,
        lane: &Lane,
        message: impl Into<Delivered>,
        worker: WorkerName,
        now: Timestamp,
    ) -> Self {
        let message = message.into();
        let mut next = self.clone();
        next.changed = now;
        if let RunState::Running {
            worker: lost,
            since,
            ..
        } = &self.state
        {
            let failure = Failure::worker(format!("worker {lost} vanished: its lease ran out"));
            next.note_failure(lost, *since, &failure);
            if next.forgives_loss() {
                next.returned = next.returned.saturating_add(1);
            }
            // The vanished worker's output may have appeared: one more attempt finds out, and does nothing else.
            if next.is_spent() && !(self.is_publishing() && self.may_appear()) {
                let failure = next.told_harm(failure);
                next.state = RunState::Failed { failure };
                return next;
            }
        }
        if next.attempt >= MOST_CLAIMS {
            let failure = Failure::input(format!("it was claimed {MOST_CLAIMS} times"));
            next.state = RunState::Failed { failure };
            return next;
        }
        if !self.is_joined_in(lane) {
            next.queue = lane.queue.clone();
            next.priority = lane.priority;
        }
        next.attempt += 1;
        next.delivered = if message.sequence == self.sequence {
            message.count.max(self.delivered)
        } else {
            message.count
        };
        next.sequence = message.sequence;
        next.state = RunState::Running {
            worker,
            since: now,
            stage: Stage::Reading,
        };
        next
    }

    /// Whether the message of the job is in this lane only to have its pieces joined: the job belongs to its own lane.
    fn is_joined_in(&self, lane: &Lane) -> bool {
        let is_split = matches!(self.state, RunState::Split { .. });
        let is_elsewhere = lane.queue == Queue::Copy && self.queue != Queue::Copy;
        is_split || (self.job.split != Split::Off && is_elsewhere)
    }

    /// The owner has enqueued the parts of the job. This uses up no attempt.
    pub fn split(&self, parts: u32, now: Timestamp) -> Self {
        Self {
            state: RunState::Split { since: now, parts },
            returned: self.returned.saturating_add(1),
            changed: now,
            ..self.clone()
        }
    }

    /// A part of the job has failed for good, last on this worker, and so has the job. That was an attempt. `None` if the
    /// job is not split any more.
    pub fn fail_split(
        &self,
        failure: Failure,
        worker: Option<&WorkerName>,
        now: Timestamp,
    ) -> Option<Self> {
        let RunState::Split { since, .. } = self.state else {
            return None;
        };
        let mut next = Self {
            returned: self.returned.saturating_sub(1),
            changed: now,
            ..self.clone()
        };
        if let Some(worker) = worker {
            next.note_failure(worker, since, &failure);
        }
        next.state = RunState::Failed { failure };
        Some(next)
    }

    /// The job is not split after all: it waits in the lane of its encoder. `None` if it is neither split nor owned. This
    /// uses up no attempt.
    pub fn unsplit(&self, lane: &Lane, now: Timestamp) -> Option<Self> {
        let was_running = match self.state {
            RunState::Running { .. } => true,
            RunState::Split { .. } => false,
            _ => return None,
        };
        Some(Self {
            queue: lane.queue.clone(),
            priority: lane.priority,
            returned: self.returned.saturating_add(u32::from(was_running)),
            ..self.queued(Requeue::Moved, now)
        })
    }

    /// The owner begins another stage.
    pub fn enter(&self, stage: Stage, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let RunState::Running { stage: current, .. } = &mut next.state {
            *current = stage;
        }
        next.changed = now;
        next
    }

    /// The owner begins to publish the output that the fence names.
    pub fn fence(&self, fence: Fence, now: Timestamp) -> Self {
        Self {
            fence: Some(fence),
            ..self.enter(Stage::Publishing, now)
        }
    }

    /// The fenced output has not appeared and never will.
    pub fn settle(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let Some(fence) = &mut next.fence {
            fence.is_settled = true;
        }
        next.changed = now;
        next
    }

    /// Whether an output of this job may be in place, or appear at any time.
    pub fn may_appear(&self) -> bool {
        self.fence.as_ref().is_some_and(|fence| !fence.is_settled)
    }

    /// Whether this attempt only finds out whether the output of a vanished attempt has appeared.
    pub fn only_looks(&self) -> bool {
        self.spent() > self.job.attempts || self.has_harmed_enough()
    }

    /// The fenced output has not appeared, and no further attempt is made.
    pub fn dead_letter(&self, now: Timestamp) -> Self {
        let failure = self.failures.last().map(|attempt| attempt.failure.clone());
        Self {
            state: RunState::Failed {
                failure: failure
                    .unwrap_or_else(|| Failure::worker("every worker that had it vanished")),
            },
            changed: now,
            ..self.clone()
        }
    }

    /// The owner releases the job unharmed.
    pub fn release(&self, now: Timestamp) -> Self {
        match &self.state {
            RunState::Running { worker, .. } => {
                let by = Requeue::Worker(worker.clone());
                Self {
                    returned: self.returned.saturating_add(1),
                    ..self.queued(by, now)
                }
            }
            _ => self.clone(),
        }
    }

    fn queued(&self, by: Requeue, now: Timestamp) -> Self {
        Self {
            state: RunState::Queued { by },
            changed: now,
            ..self.clone()
        }
    }

    /// A person moves the job to another lane; a running attempt counts as never made. `None` if the job has ended or
    /// is being published.
    pub fn move_to(&self, lane: &Lane, now: Timestamp) -> Option<Self> {
        if self.state.is_terminal() || self.is_publishing() {
            return None;
        }
        let was_running = matches!(self.state, RunState::Running { .. });
        let by = if lane.queue == self.queue || lane.queue == self.job.recipe.queue() {
            Requeue::Person
        } else {
            Requeue::Moved
        };
        Some(Self {
            queue: lane.queue.clone(),
            priority: lane.priority,
            returned: self.returned.saturating_add(u32::from(was_running)),
            ..self.queued(by, now)
        })
    }

    /// The job of a split run moves to this lane, with its parts. `None` if the job is not split.
    pub fn move_split(&self, lane: &Lane, now: Timestamp) -> Option<Self> {
        let RunState::Split { .. } = self.state else {
            return None;
        };
        Some(Self {
            queue: lane.queue.clone(),
            priority: lane.priority,
            changed: now,
            ..self.clone()
        })
    }

    /// A person retries a failed or cancelled job, with all its attempts; its history stays. A part is also retried after
    /// its completion, if its piece is gone. `None` if the job is under way or completed.
    pub fn retry(&self, now: Timestamp) -> Option<Self> {
        let is_over = match self.state {
            RunState::Failed { .. } | RunState::Cancelled => true,
            RunState::Completed { .. } => !self.job.id.is_whole(),
            _ => false,
        };
        is_over.then(|| Self {
            returned: self.attempt,
            renewed: self.attempt,
            output_digest: None,
            ..self.queued(Requeue::Person, now)
        })
    }

    /// The owner has published the output.
    pub fn complete(&self, report: Report, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.state = RunState::Completed {
            report: Box::new(report),
        };
        next.output_digest = self.fence.as_ref().map(|fence| fence.digest.clone());
        next.fence = None;
        next.changed = now;
        next
    }

    /// The rules say that the original is the better result.
    pub fn keep(&self, report: KeptReport, now: Timestamp) -> Self {
        Self {
            state: RunState::Kept {
                report: Box::new(report),
            },
            output_digest: None,
            fence: None,
            changed: now,
            ..self.clone()
        }
    }

    /// The owner's attempt failed: the run waits for the next one, or has failed for good. A passing fault uses up no
    /// attempt.
    pub fn fail(&self, failure: Failure, retry_in: SignedDuration, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.changed = now;
        if let RunState::Running { worker, since, .. } = &self.state {
            next.note_failure(worker, *since, &failure);
        }
        if !failure.uses_attempt() {
            next.returned = next.returned.saturating_add(1);
        }
        let is_over = next.is_spent() && (failure.uses_attempt() || !self.only_looks());
        let again = failure.fault.is_worth_a_retry() && !is_over;
        next.state = match now.checked_add(retry_in) {
            Ok(until) if again => RunState::Waiting { until, failure },
            _ => RunState::Failed { failure },
        };
        next
    }

    /// A person cancels the job. `None` if it has ended, or if its output may be in place or appear: a cancelled job
    /// has no output. A part may leave its piece, which goes with those of all parts.
    pub fn cancel(&self, now: Timestamp) -> Option<Self> {
        let may_have_output = self.is_publishing() || self.may_appear();
        if self.state.is_terminal() || (may_have_output && self.job.id.is_whole()) {
            return None;
        }
        let mut next = self.clone();
        next.state = RunState::Cancelled;
        next.changed = now;
        Some(next)
    }

    /// Whether the output may be taking the place of the source: either may be there.
    pub fn is_replacing(&self) -> bool {
        self.job.replacement.is_some() && self.may_appear() && !self.state.is_terminal()
    }

    /// Whether the output has taken the place of the source.
    pub fn has_replaced(&self) -> bool {
        matches!(&self.state, RunState::Completed { report } if report.replaced.is_some())
    }

    /// The source is back that the output had replaced, and the output is gone: like every cancelled job, this one has
    /// none. `None` if the job has not replaced its source.
    pub fn undo(&self, now: Timestamp) -> Option<Self> {
        let RunState::Completed { report } = &self.state else {
            return None;
        };
        report.replaced.as_ref()?;
        Some(Self {
            state: RunState::Cancelled,
            output_digest: None,
            fence: None,
            changed: now,
            ..self.clone()
        })
    }

    /// Why it is too late to change the job.
    pub fn too_late(&self) -> TooLate {
        if self.state.is_terminal() {
            TooLate::Is(JobState::from(&self.state))
        } else if self.is_publishing() {
            TooLate::Publishing
        } else if self.may_appear() {
            TooLate::PerhapsPublished
        } else {
            TooLate::Is(JobState::from(&self.state))
        }
    }

    /// Whether the parts of the job wait or run.
    pub fn is_split(&self) -> bool {
        matches!(self.state, RunState::Split { .. })
    }

    /// Whether parts of the completed job may be left: it was split, even if it was encoded as a whole in the end.
    pub fn may_have_parts(&self) -> bool {
        match self.report().and_then(|report| report.split.as_ref()) {
            Some(SplitReport::Parts(_)) => true,
            // What was never split was not claimed a second time for it.
            Some(SplitReport::Whole(_)) => self.attempt > 1,
            Some(SplitReport::Piece(_)) | None => false,
        }
    }

    /// What the job has made, if it is completed.
    pub fn report(&self) -> Option<&Report> {
        match &self.state {
            RunState::Completed { report } => Some(report),
            _ => None,
        }
    }

    /// The worker that runs the job, completed it, or last failed at it.
    pub fn worker(&self) -> Option<&WorkerName> {
        match &self.state {
            RunState::Running { worker, .. } => Some(worker),
            RunState::Completed { report } => Some(&report.worker),
            RunState::Kept { report } => Some(&report.worker),
            _ => self.failures.last().map(|attempt| &attempt.worker),
        }
    }
}
