//! A run: what has become of a job since a worker first took it.
//!
//! ```text
//!             claim              gate passed
//!  (pending) ───────► Running ────────────────► Completed
//!                      │ ▲  │
//!             hand back│ │  ├─ not worth a retry, or attempts spent ──► Failed
//!                      ▼ │  │
//!               Returned─┤  └─ cancel ──► Cancelled
//!                        │
//!   retry ──► Waiting ───┘   (claimed again, one attempt later)
//! ```
//!
//! A job that is in the work queue and has no run is pending: enqueueing is one
//! write and nothing can disagree with it. A run is written by compare-and-set
//! only, so its revision decides who owns the job. Everything here is pure;
//! [`crate::broker`] does the writing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::encoder::Encoder;
use crate::failure::Failure;
use crate::job::Job;
use crate::queue::Lane;
use crate::queue::{Priority, Queue};
use crate::worker::WorkerName;

/// What has become of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The job, whole: once it has ended, this is the only copy.
    pub job: Job,
    /// The queue that it was taken from.
    pub queue: Queue,
    /// Its priority when it was taken.
    pub priority: Priority,
    /// How often it was taken. Tells an owner from those before it.
    pub attempt: u32,
    /// How many of those times it was given back unharmed.
    pub returned: u32,
    /// Stream sequence of the message by which it was last taken.
    pub sequence: u64,
    /// Where it stands.
    pub state: State,
    /// Attempts that failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Attempt>,
    /// When this was last written, by the writer's clock.
    pub changed: Timestamp,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A worker is at it.
    Running {
        /// Who.
        worker: WorkerName,
        /// Since when.
        since: Timestamp,
        /// What it is busy with.
        stage: Stage,
    },
    /// A worker gave it back unharmed; it waits in its queue again.
    Returned {
        /// Who gave it back.
        worker: WorkerName,
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

/// What a completed job made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Who made it.
    pub worker: WorkerName,
    /// By which encoder; `None` where the video was copied.
    pub encoder: Option<Encoder>,
    /// Bytes of the input.
    pub input_size: u64,
    /// Bytes of the output.
    pub output_size: u64,
    /// Video frames of the output.
    pub frames: u64,
    /// Length of the output in seconds.
    pub duration: f64,
    /// Wall time of ffmpeg's encode in seconds.
    pub encode_seconds: f64,
    /// Wall time from claim to the end in seconds.
    pub total_seconds: f64,
    /// What is worth telling although it worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl Report {
    /// Mean frames per second of the encode.
    pub fn fps(&self) -> f64 {
        if self.encode_seconds > 0.0 {
            self.frames as f64 / self.encode_seconds
        } else {
            0.0
        }
    }
}

/// What to do with a delivered message of a job that has a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Take the job over.
    TakeOver,
    /// The job needs nothing more of this message: acknowledge it and go on.
    Drop,
}

impl State {
    /// Whether nothing can change any more.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled
        )
    }

    /// One word for people and listings.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Returned { .. } => "pending",
            Self::Waiting { .. } => "waiting",
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Run {
    /// The first attempt at a job.
    pub fn first(job: Job, lane: &Lane, sequence: u64, worker: WorkerName, now: Timestamp) -> Self {
        Self {
            job,
            queue: lane.queue.clone(),
            priority: lane.priority,
            attempt: 1,
            returned: 0,
            sequence,
            state: State::Running {
                worker,
                since: now,
                stage: Stage::Reading,
            },
            failures: Vec::new(),
            changed: now,
        }
    }

    /// What a message with this stream sequence means now.
    pub fn on_delivery(&self, sequence: u64) -> Delivery {
        match &self.state {
            state if state.is_terminal() => Delivery::Drop,
            // Another message while the owner is alive: a move raced with a claim.
            State::Running { .. } if sequence != self.sequence => Delivery::Drop,
            _ => Delivery::TakeOver,
        }
    }

    /// How many attempts are used up; what was given back unharmed is not.
    pub fn spent(&self) -> u32 {
        self.attempt - self.returned
    }

    /// The next attempt, by a new owner. Where the one before is still marked
    /// running, its worker vanished, and that counts as a failed attempt; where
    /// that was the last one, the run has failed for good instead.
    pub fn take_over(
        &self,
        lane: &Lane,
        sequence: u64,
        worker: WorkerName,
        now: Timestamp,
    ) -> Self {
        let mut next = self.clone();
        next.changed = now;
        if let State::Running {
            worker: lost,
            since,
            ..
        } = &self.state
        {
            let failure = Failure::worker(format!("worker {lost} vanished: its lease ran out"));
            next.failures.push(Attempt {
                number: self.attempt,
                worker: lost.clone(),
                started: *since,
                ended: now,
                failure: failure.clone(),
            });
            if self.spent() >= self.job.attempts {
                next.state = State::Failed { failure };
                return next;
            }
        }
        next.queue = lane.queue.clone();
        next.priority = lane.priority;
        next.attempt += 1;
        next.sequence = sequence;
        next.state = State::Running {
            worker,
            since: now,
            stage: Stage::Reading,
        };
        next
    }

    /// The owner begins another stage.
    pub fn enter(&self, stage: Stage, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let State::Running { stage: current, .. } = &mut next.state {
            *current = stage;
        }
        next.changed = now;
        next
    }

    /// The owner gives the job back unharmed.
    pub fn hand_back(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let State::Running { worker, .. } = &self.state {
            next.state = State::Returned {
                worker: worker.clone(),
            };
            next.returned += 1;
        }
        next.changed = now;
        next
    }

    /// The owner is done.
    pub fn complete(&self, report: Report, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.state = State::Completed {
            report: Box::new(report),
        };
        next.changed = now;
        next
    }

    /// The owner's attempt failed: the run waits for the next one, or has
    /// failed for good.
    pub fn fail(&self, failure: Failure, retry_in: jiff::SignedDuration, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.changed = now;
        if let State::Running { worker, since, .. } = &self.state {
            next.failures.push(Attempt {
                number: self.attempt,
                worker: worker.clone(),
                started: *since,
                ended: now,
                failure: failure.clone(),
            });
        }
        let again = failure.fault.is_worth_a_retry() && self.spent() < self.job.attempts;
        next.state = match now.checked_add(retry_in) {
            Ok(until) if again => State::Waiting { until, failure },
            _ => State::Failed { failure },
        };
        next
    }

    /// A person cancels it; what has ended already stays as it ended.
    pub fn cancel(&self, now: Timestamp) -> Option<Self> {
        if self.state.is_terminal() {
            return None;
        }
        let mut next = self.clone();
        next.state = State::Cancelled;
        next.changed = now;
        Some(next)
    }

    /// Who is at it.
    pub fn worker(&self) -> Option<&WorkerName> {
        match &self.state {
            State::Running { worker, .. } => Some(worker),
            State::Completed { report } => Some(&report.worker),
            _ => self.failures.last().map(|attempt| &attempt.worker),
        }
    }
}
