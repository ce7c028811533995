//! Events: the history of a job, for timelines and charts.

use std::collections::BTreeSet;

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
    /// How often the job had been claimed. In a [history](Event::history): the number of the attempt.
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
    /// recorded, and its attempts are numbered as people count. A claim that ended in a release, a move, a passing fault or
    /// a split was no attempt of its own: the next claim goes on with it.
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
        number_attempts(&mut recorded);
        recorded
    }

    /// What the event means for the claim that it ends; `None` if it ends none.
    fn uses_attempt(&self, is_under_way: bool) -> Option<bool> {
        match &self.what {
            What::Released(_) | What::Split(_) => Some(false),
            What::Retried(failure) => Some(failure.uses_attempt()),
            What::Moved(_) | What::Requeued => is_under_way.then_some(false),
            // Of a split job, a part may have used up the attempt.
            What::Completed(_) | What::Kept(_) | What::Failed(_) | What::Cancelled => Some(true),
            What::Queued | What::Claimed(_) | What::Command(_) | What::Progress(_) => None,
        }
    }
}

/// Numbers claims as attempts: those that used up none have the number of the next one.
fn number_attempts(history: &mut [Event]) {
    let mut unused = BTreeSet::new();
    let mut is_under_way = false;
    for event in history {
        let claim = event.attempt;
        match event.uses_attempt(is_under_way) {
            Some(true) => drop(unused.remove(&claim)),
            Some(false) => drop(unused.insert(claim)),
            None => {}
        }
        match event.what {
            What::Claimed(_) => is_under_way = true,
            What::Queued | What::Command(_) | What::Progress(_) => {}
            _ => is_under_way = false,
        }
        let before = unused.range(..claim).count();
        event.attempt = claim.saturating_sub(u32::try_from(before).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::recipe::Choice;
    use crate::testing::job;

    #[test]
    fn the_plan_the_join_and_a_release_are_no_attempts_of_their_own() {
        let job = job(Choice::Encoder("libx265".parse().expect("an encoder")), 1);
        let lane = |name: &str| Lane::from_consumer(name).expect("a lane");
        let (now, name) = (Timestamp::UNIX_EPOCH, || "w".parse().expect("a name"));
        let own = lane("libx265_p5");
        let planner = Run::first(job.clone(), &own, 1, name(), now);
        let released = planner.release(now);
        let again = released.take_over(&own, 1, name(), now);
        let split = again.split(3, now);
        let failed = split.fail_split(Failure::input("chunk 1: it is broken"), Some(&name()), now);
        let failed = failed.expect("split");
        assert_eq!((split.tries(), failed.tries()), (1, 1));
        assert_eq!(failed.failures.len(), 1);
        let retried = failed.retry(now).expect("it failed");
        let third = retried.take_over(&own, 2, name(), now);
        let second_split = third.split(3, now);
        let join = second_split.take_over(&lane("copy_p6"), 3, name(), now);
        assert_eq!(join.lane(), own, "the lane of the job");
        assert_eq!(join.tries(), 1, "since the retry");
        let runs = [
            planner,
            released,
            again,
            split,
            failed,
            retried,
            third,
            second_split,
            join,
        ];
        let history = Event::history(&job, runs.iter().map(Event::of).collect());
        let numbers: Vec<u32> = history.iter().map(|event| event.attempt).collect();
        assert_eq!(numbers, [1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
    }

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
