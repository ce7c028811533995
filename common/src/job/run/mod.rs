//! A run: what has become of a job since a worker first took it.
//!
//! ```text
//!             claim               gate passed
//!  (pending) ────────► Running ────────────────► Completed
//!      │                │ ▲  │
//!  move│  hand back,    │ │  ├─ not worth a retry, or attempts spent ──► Failed ─┐
//!      │  move          ▼ │  │                                                  │
//!      └─────────────► Queued └─ cancel ──► Cancelled ──────────────────────────┤
//!                       ▲ │                                                     │
//!                       │ └─ a person asks for it again ◄───────────────────────┘
//!  attempt failed ──► Waiting   (claimed again, one attempt later)
//! ```
//!
//! A job that is in the work queue and has no run is pending: enqueueing is one
//! write and nothing can disagree with it. A run is written by compare-and-set
//! only, so its revision decides who owns the job; while nobody owns it, the run
//! says from which lane it is to be taken, and whoever meets it elsewhere sends
//! it there. Everything here is pure; [`crate::broker`] does the writing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::failure::{Failure, Fault};
use crate::job::run::fence::Fence;
use crate::job::run::report::Report;
use crate::job::state::{JobState, TooLate};
use crate::names::digest::Digest;
use crate::wire::is_default;

pub mod fence;
pub mod report;
mod validity;

pub use validity::{MOST_ATTEMPTS, Unsound};

/// What has become of a job. One that is read has passed [`Run::check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Run {
    /// The job, whole: once it has ended, this is the only copy.
    pub job: Job,
    /// The queue that it was taken from, or is to be taken from.
    pub queue: Queue,
    /// Its priority there.
    pub priority: Priority,
    /// How often it was taken. Tells an owner from those before it.
    pub attempt: u32,
    /// How many of those times count no more: it was given back unharmed, taken
    /// away, came to nothing by what passes, or a person asked for it again.
    pub returned: u32,
    /// The last attempt before a person asked for it again; 0 where nobody did.
    #[serde(default, skip_serializing_if = "is_default")]
    pub renewed: u32,
    /// Stream sequence of the message by which it was last taken; 0 where it
    /// never was.
    pub sequence: u64,
    /// How often the broker had delivered that message by then: an older delivery
    /// of the same message says nothing about the owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delivered: u64,
    /// What the last attempt to reach the fence was about to make appear. It
    /// stays until the job is completed or another takes its place: by it alone
    /// an output is known for this job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// Digest of the output of a completed job, by which a copy is known to be whole;
    /// not known of jobs from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<Digest>,
    /// Where it stands.
    pub state: RunState,
    /// Attempts that failed, oldest first. Of many that came to nothing by what
    /// passes, only the first and the last are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Attempt>,
    /// When this was last written, by the broker's clock.
    pub changed: Timestamp,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A worker is at it.
    Running {
        /// Who.
        worker: WorkerName,
        /// Since when.
        since: Timestamp,
        /// What it is busy with, as far as it is written down: `Reading` from the
        /// claim on, `Publishing` from the fence on. [`crate::job::progress`] says it live.
        stage: Stage,
    },
    /// It waits in its queue again.
    Queued {
        /// Who put it there.
        by: Requeue,
    },
    /// An attempt failed; the next one may start then.
    Waiting {
        /// When.
        until: Timestamp,
        /// What went wrong.
        failure: Failure,
    },
    /// Done: the output is at its final key, whole and verified.
    Completed {
        /// What was made.
        report: Box<Report>,
    },
    /// Failed for good.
    Failed {
        /// What went wrong last.
        failure: Failure,
    },
    /// Cancelled by a person.
    Cancelled,
}

/// Who put a job that was taken, or was to be taken elsewhere, back in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requeue {
    /// A worker gave it back unharmed, e.g. because it was told to stop.
    Worker(WorkerName),
    /// An operator put it there; its fallbacks, where it has some, open again in turn.
    #[serde(rename = "person")]
    Operator,
    /// An operator wants it taken from there and nowhere else.
    #[serde(rename = "move")]
    Pinned,
}

/// What a running attempt is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looking at the input, or downloading it.
    Reading,
    /// Running ffmpeg.
    Encoding,
    /// Checking the output before anyone can see it.
    Verifying,
    /// Bringing the output to its final key.
    Publishing,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reading => "reading",
            Self::Encoding => "encoding",
            Self::Verifying => "verifying",
            Self::Publishing => "publishing",
        })
    }
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which one, from 1.
    pub number: u32,
    /// Who tried.
    pub worker: WorkerName,
    /// When it started.
    pub started: Timestamp,
    /// When it was known to have failed.
    pub ended: Timestamp,
    /// Why.
    pub failure: Failure,
}

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
        /// Who.
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

/// Workers on which a job may fail by their own fault, or vanish with it,
/// before no further one is put at risk, whatever attempts it has left.
pub const MOST_WORKERS: usize = 3;

/// How long a message in one of a job's other queues stays back while the job
/// runs.
const WHILE_RUNNING: SignedDuration = SignedDuration::from_secs(30);

/// Failed attempts that a run keeps from its beginning, and as many from its
/// end: a store may be out of reach for days.
const KEPT_FAILURES: usize = 10;

impl RunState {
    /// Whether nothing can change any more.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled
        )
    }

    /// Whether it is nobody's: it may be taken, now or later.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Queued { .. } | Self::Waiting { .. })
    }

    /// The word for it: that of its [`JobState`].
    pub fn as_str(&self) -> &'static str {
        JobState::from(self).as_str()
    }
}

impl Run {
    /// A job that nobody has taken yet, for what a person decides about it.
    pub fn untaken(job: Job, lane: &Lane, now: Timestamp) -> Self {
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
                by: Requeue::Operator,
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
        Self::untaken(job, lane, now).take_over(lane, message, worker, now)
    }

    /// Where it was taken from, or is to be taken from.
    pub fn lane(&self) -> Lane {
        Lane {
            priority: self.priority,
            queue: self.queue.clone(),
        }
    }

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

    /// Whether the owner may bring the output to its final key at any moment.
    pub fn is_publishing(&self) -> bool {
        matches!(
            self.state,
            RunState::Running {
                stage: Stage::Publishing,
                ..
            }
        )
    }

    /// How many attempts are used up.
    pub fn spent(&self) -> u32 {
        self.attempt.saturating_sub(self.returned)
    }

    /// Whether no further attempt is to be made: all are used up, or too many
    /// workers fared badly with it.
    fn is_spent(&self) -> bool {
        self.spent() >= self.job.attempts || self.has_harmed_enough()
    }

    /// Whether too many workers fared badly with it.
    fn has_harmed_enough(&self) -> bool {
        let harmed: BTreeSet<_> = self
            .failures
            .iter()
            .filter(|attempt| {
                attempt.number > self.renewed && attempt.failure.fault == Fault::Worker
            })
            .map(|attempt| &attempt.worker)
            .collect();
        harmed.len() >= MOST_WORKERS
    }

    /// How often in a row, up to now, it came to nothing by what passes.
    pub fn passing_failures(&self) -> usize {
        let failures = self.failures.iter().rev();
        failures
            .take_while(|attempt| !attempt.failure.uses_attempt())
            .count()
    }

    /// Keeps a record of how an attempt failed.
    fn note_failure(&mut self, worker: &WorkerName, since: Timestamp, failure: &Failure) {
        self.failures.push(Attempt {
            number: self.attempt,
            worker: worker.clone(),
            started: since,
            ended: self.changed,
            failure: failure.clone(),
        });
        let middle = self.failures.get(KEPT_FAILURES);
        // Those that used up an attempt are few, and decide whether there is another.
        if self.failures.len() > 2 * KEPT_FAILURES
            && middle.is_some_and(|attempt| !attempt.failure.uses_attempt())
        {
            self.failures.remove(KEPT_FAILURES);
        }
    }

    /// Whether the last attempt failed by this worker's own fault.
    pub fn failed_last_on(&self, worker: &WorkerName) -> bool {
        self.failures.last().is_some_and(|attempt| {
            attempt.worker == *worker && attempt.failure.fault == Fault::Worker
        })
    }

    /// Whether an attempt on another worker than this failed in the very same words, since a person
    /// last asked for the job: what two workers agree on is no fault of theirs.
    pub fn failed_alike_elsewhere(&self, worker: &WorkerName, failure: &Failure) -> bool {
        self.failures.iter().any(|attempt| {
            attempt.number > self.renewed
                && attempt.worker != *worker
                && attempt.failure.message == failure.message
        })
    }

    /// The next attempt, by a new owner; none after [`MOST_ATTEMPTS`]. Where the one before is still marked
    /// running, its worker vanished, and that counts as a failed attempt; where
    /// that was the last one, the run has failed for good instead.
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
            // What it was about to publish may be there: the next one looks, and does no more.
            if next.is_spent() && !(self.is_publishing() && self.may_appear()) {
                next.state = RunState::Failed { failure };
                return next;
            }
        }
        if next.attempt >= MOST_ATTEMPTS {
            let failure = Failure::input(format!("it was taken {MOST_ATTEMPTS} times"));
            next.state = RunState::Failed { failure };
            return next;
        }
        next.queue = lane.queue.clone();
        next.priority = lane.priority;
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

    /// The owner begins another stage.
    pub fn enter(&self, stage: Stage, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let RunState::Running { stage: current, .. } = &mut next.state {
            *current = stage;
        }
        next.changed = now;
        next
    }

    /// The owner begins to publish this.
    pub fn fence(&self, fence: Fence, now: Timestamp) -> Self {
        Self {
            fence: Some(fence),
            ..self.enter(Stage::Publishing, now)
        }
    }

    /// It is certain that what was about to appear has not, and never will.
    pub fn settle(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let Some(fence) = &mut next.fence {
            fence.is_settled = true;
        }
        next.changed = now;
        next
    }

    /// Whether an output of this job may be there, or appear at any time.
    pub fn may_appear(&self) -> bool {
        self.fence.as_ref().is_some_and(|fence| !fence.is_settled)
    }

    /// Whether this attempt is made only to find out what has become of the
    /// output of one that vanished.
    pub fn only_looks(&self) -> bool {
        self.spent() > self.job.attempts || self.has_harmed_enough()
    }

    /// Nothing has appeared by what the last attempt left, and no further one is made.
    pub fn bury(&self, now: Timestamp) -> Self {
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

    /// The owner gives the job back unharmed.
    pub fn hand_back(&self, now: Timestamp) -> Self {
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

    /// A person wants it taken from another lane; a running attempt counts as
    /// never made. What has ended stays as it ended, and what is being published
    /// stays with its owner.
    pub fn move_to(&self, lane: &Lane, now: Timestamp) -> Option<Self> {
        if self.state.is_terminal() || self.is_publishing() {
            return None;
        }
        let was_running = matches!(self.state, RunState::Running { .. });
        let by = if lane.queue == self.queue || lane.queue == self.job.recipe.queue() {
            Requeue::Operator
        } else {
            Requeue::Pinned
        };
        Some(Self {
            queue: lane.queue.clone(),
            priority: lane.priority,
            returned: self.returned.saturating_add(u32::from(was_running)),
            ..self.queued(by, now)
        })
    }

    /// A person asks again for what failed or was cancelled: with all its
    /// attempts, and its history. `None` where it is under way or done.
    pub fn retry(&self, now: Timestamp) -> Option<Self> {
        match self.state {
            RunState::Failed { .. } | RunState::Cancelled => Some(Self {
                returned: self.attempt,
                renewed: self.attempt,
                ..self.queued(Requeue::Operator, now)
            }),
            _ => None,
        }
    }

    /// The owner is done.
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

    /// The owner's attempt failed: the run waits for the next one, or has
    /// failed for good. What passes uses up no attempt.
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

    /// A person cancels it; what has ended already stays as it ended. `None`,
    /// too, while its output may be there or appear: a cancelled job has none.
    pub fn cancel(&self, now: Timestamp) -> Option<Self> {
        if self.state.is_terminal() || self.is_publishing() || self.may_appear() {
            return None;
        }
        let mut next = self.clone();
        next.state = RunState::Cancelled;
        next.changed = now;
        Some(next)
    }

    /// Why it is too late to change anything about it.
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

    /// Who is at it.
    pub fn worker(&self) -> Option<&WorkerName> {
        match &self.state {
            RunState::Running { worker, .. } => Some(worker),
            RunState::Completed { report } => Some(&report.worker),
            _ => self.failures.last().map(|attempt| &attempt.worker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::testing;

    #[test]
    fn two_workers_agree_on_a_failure_in_the_same_words_only() {
        let job = testing::job(Choice::Encoder("hevc_nvenc".parse().expect("a name")), 1);
        let lane = Lane::from_consumer("hevc_nvenc_p5").expect("a lane");
        let name = |name: &str| -> WorkerName { name.parse().expect("a name") };
        let now = Timestamp::UNIX_EPOCH;
        let alike = |frames: u64| Failure::worker(format!("output has {frames} frames"));
        let run = Run::first(job, &lane, 1, name("a"), now);
        let mut run = run.fail(alike(25), SignedDuration::ZERO, now);
        assert!(run.failed_alike_elsewhere(&name("b"), &alike(25)));
        assert!(!run.failed_alike_elsewhere(&name("b"), &alike(26)));
        assert!(!run.failed_alike_elsewhere(&name("a"), &alike(25)));
        run.renewed = run.attempt;
        assert!(!run.failed_alike_elsewhere(&name("b"), &alike(25)));
    }

    #[test]
    fn what_passes_uses_up_nothing_and_leaves_a_record_that_stays_small() {
        let job = testing::job(Choice::Encoder("libx265".parse().expect("a name")), 1);
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let worker: WorkerName = "w".parse().expect("a name");
        let now = Timestamp::UNIX_EPOCH;
        let soon = SignedDuration::from_secs(1);
        let mut run = Run::first(job, &lane, 1, worker.clone(), now);
        run = run.fail(Failure::worker("disk full"), soon, now);
        for _ in 0..100 {
            run = run.take_over(&lane, 1, worker.clone(), now);
            run = run.fail(Failure::passing("the store is away"), soon, now);
            assert!(run.state.is_waiting(), "{run:#?}");
        }
        assert_eq!((run.spent(), run.attempt), (1, 101));
        assert_eq!(run.failures.len(), 2 * KEPT_FAILURES);
        assert_eq!(run.failures[0].failure.message, "disk full");
        assert_eq!(run.failures.last().map(|attempt| attempt.number), Some(101));
        for _ in 0..2 {
            run = run.take_over(&lane, 1, worker.clone(), now);
            run = run.fail(Failure::passing_perhaps("no answer"), soon, now);
        }
        assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
    }
}
