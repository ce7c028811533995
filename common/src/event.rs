//! What happened to a job: the history that timelines and charts read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::id::JobId;
use crate::progress::EncodeProgress;
use crate::queue::Queue;
use crate::run::{Report, Requeue, Run, State};
use crate::worker::WorkerName;

/// One entry of a job's history, kept in the stream `EVENTS`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Which job.
    pub job: JobId,
    /// Which of its attempts.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was enqueued. Written with its first claim, as enqueueing is one write.
    Queued,
    /// A worker took it.
    Claimed(WorkerName),
    /// ffmpeg was started by this command line, as a shell would read it.
    Command(String),
    /// So much of it is encoded.
    Progress(EncodeProgress),
    /// A worker gave it back unharmed, e.g. because it was told to stop.
    Returned(WorkerName),
    /// A person moved it to this queue.
    Moved(Queue),
    /// A person asked for it again, or changed its priority.
    Requeued,
    /// An attempt failed and there will be another.
    Retried(Failure),
    /// It is done.
    Completed(Box<Report>),
    /// It failed for good.
    Failed(Failure),
    /// A person cancelled it.
    Cancelled,
}

impl What {
    /// The last token of the event's subject.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed(_) => "claimed",
            Self::Command(_) => "command",
            Self::Progress(_) => "progress",
            Self::Returned(_) => "returned",
            Self::Moved(_) => "moved",
            Self::Requeued => "requeued",
            Self::Retried(_) => "retried",
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Event {
    /// What a run that was just written means for the job's history.
    pub fn of(run: &Run) -> Self {
        let what = match &run.state {
            State::Running { worker, .. } => What::Claimed(worker.clone()),
            State::Queued { by } => match by {
                Requeue::Worker(worker) => What::Returned(worker.clone()),
                Requeue::Move => What::Moved(run.queue.clone()),
                Requeue::Person => What::Requeued,
            },
            State::Waiting { failure, .. } => What::Retried(failure.clone()),
            State::Completed { report } => What::Completed(report.clone()),
            State::Failed { failure } => What::Failed(failure.clone()),
            State::Cancelled => What::Cancelled,
        };
        Self {
            job: run.job.id,
            attempt: run.attempt,
            at: run.changed,
            what,
        }
    }
}
