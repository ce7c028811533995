//! Events: the history of a job, for timelines and charts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::queue::{Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::id::JobId;
use crate::job::progress::EncodeProgress;
use crate::job::run::kept::KeptReport;
use crate::job::run::report::Report;
use crate::job::run::{Requeue, Run, RunState};
use crate::wire;

/// One entry of a job's history, stored in the stream `EVENTS`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// The job's id.
    pub job: JobId,
    /// The number of the attempt.
    pub attempt: u32,
    /// When it happened, by the broker's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// What happened.
    pub what: What,
    /// The job's priority from then on; `None` if it cannot have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
}

impl wire::Message for Event {
    fn version(&self) -> u32 {
        match self.what {
            What::Kept(_) => wire::LIBRARIES,
            What::Split(_) => wire::SPLITS,
            _ => wire::FIRST,
        }
    }
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum What {
    /// It was enqueued. Recorded with its first claim, since enqueueing is one write.
    Queued,
    /// A worker claimed it.
    Claimed(WorkerName),
    /// ffmpeg was started with this command line, quoted for a shell.
    Command(String),
    /// The encode reached this point.
    Progress(EncodeProgress),
    /// A worker released it unharmed, e.g. on SIGTERM.
    #[serde(rename = "returned")]
    Released(WorkerName),
    /// A person moved it to this queue.
    Moved(Queue),
    /// A person retried it, or changed its priority.
    Requeued,
    /// An attempt failed, and there will be another.
    Retried(Failure),
    /// It was split into so many parts.
    Split(u32),
    /// It was completed.
    Completed(Box<Report>),
    /// The original is the better result.
    Kept(Box<KeptReport>),
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
            Self::Released(_) => "returned",
            Self::Moved(_) => "moved",
            Self::Requeued => "requeued",
            Self::Retried(_) => "retried",
            Self::Split(_) => "split",
            Self::Completed(_) => "completed",
            Self::Kept(_) => "kept",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Event {
    /// The event for a run that was just written.
    pub fn of(run: &Run) -> Self {
        let what = match &run.state {
            RunState::Running { worker, .. } => What::Claimed(worker.clone()),
            RunState::Queued { by } => match by {
                Requeue::Worker(worker) => What::Released(worker.clone()),
                Requeue::Moved => What::Moved(run.queue.clone()),
                Requeue::Person => What::Requeued,
            },
            RunState::Split { parts, .. } => What::Split(*parts),
            RunState::Waiting { failure, .. } => What::Retried(failure.clone()),
            RunState::Completed { report } => What::Completed(report.clone()),
            RunState::Kept { report } => What::Kept(report.clone()),
            RunState::Failed { failure } => What::Failed(failure.clone()),
            RunState::Cancelled => What::Cancelled,
        };
        Self {
            job: run.job.id,
            attempt: run.attempt,
            at: run.changed,
            priority: matches!(what, What::Moved(_) | What::Requeued).then_some(run.priority),
            what,
        }
    }

    /// The event for a split run that a person has moved, to another queue or only to another priority.
    pub fn moved(run: &Run, to_other_queue: bool) -> Self {
        let what = match to_other_queue {
            true => What::Moved(run.queue.clone()),
            false => What::Requeued,
        };
        Self {
            what,
            priority: Some(run.priority),
            ..Self::of(run)
        }
    }

    /// The event of a job's enqueueing, made from its first run.
    pub fn queued(run: &Run) -> Self {
        Self {
            job: run.job.id,
            attempt: 1,
            at: run.job.enqueued,
            what: What::Queued,
            priority: Some(run.priority),
        }
    }

    /// A job's history, made from the recorded events: it begins with the enqueueing, whether and whenever that was
    /// recorded.
    pub fn history(job: &Job, mut recorded: Vec<Self>) -> Vec<Self> {
        let is_queued = |event: &Self| event.what == What::Queued;
        let first = recorded.iter().find(|event| is_queued(event)).cloned();
        recorded.retain(|event| !is_queued(event));
        let first = first.unwrap_or(Self {
            job: job.id,
            attempt: 1,
            at: job.enqueued,
            what: What::Queued,
            priority: None,
        });
        recorded.insert(0, first);
        recorded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::recipe::Choice;
    use crate::testing::job;

    #[test]
    fn a_history_begins_with_one_enqueued_event() {
        let job = job(Choice::Encoder("libx265".parse().expect("an encoder")), 1);
        let lane = |name: &str| Lane::from_consumer(name).expect("a lane");
        let now = Timestamp::UNIX_EPOCH;
        let unclaimed = Run::unclaimed(job.clone(), &lane("libx265_p5"), now);
        let moved = unclaimed
            .move_to(&lane("libx265_p9"), now)
            .expect("it waits");
        let numbers = |events: Vec<Event>| {
            let priority = |event: Event| (event.what.kind(), event.priority.map(u8::from));
            Event::history(&job, events)
                .into_iter()
                .map(priority)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(Vec::new()), [("queued", None)]);
        let recorded = vec![
            Event::of(&moved),
            Event::queued(&unclaimed),
            Event::queued(&moved),
        ];
        assert_eq!(
            numbers(recorded),
            [("queued", Some(5)), ("requeued", Some(9))]
        );
    }
}
