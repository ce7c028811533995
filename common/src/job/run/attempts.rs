//! The failed attempts of a run: how many count, on which workers, and which are kept.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::failure::{Failure, Fault};
use crate::job::run::{Run, RunState};

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// The number of the attempt, from 1.
    pub number: u32,
    /// The worker that made it.
    pub worker: WorkerName,
    /// When it started.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub started: Timestamp,
    /// When it was known to have failed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub ended: Timestamp,
    /// What went wrong, and the cause.
    pub failure: Failure,
}

/// A job ends once attempts on this many workers failed by the worker's fault or vanished, even if it has attempts
/// left: no further worker is put at risk.
pub const MOST_WORKERS: usize = 3;

/// A run keeps this many failed attempts from its beginning, and as many from its end: a store may be out of reach
/// for days.
const KEPT_FAILURES: usize = 10;

impl Run {
    /// How many attempts are used up.
    pub fn spent(&self) -> u32 {
        self.attempt.saturating_sub(self.returned)
    }

    /// The number of the latest attempt, as people count: claims that used up no attempt are left out. The plan, the
    /// parts and the join of a split job are one attempt.
    pub fn tries(&self) -> u32 {
        match self.state {
            RunState::Split { .. } => self.spent().saturating_add(1),
            _ => self.spent(),
        }
    }

    /// Whether no further attempt is made: all are used up, or the job has harmed enough workers.
    pub(super) fn is_spent(&self) -> bool {
        self.spent() >= self.job.attempts || self.has_harmed_enough()
    }

    /// Whether attempts on [`MOST_WORKERS`] workers failed by the worker's fault.
    pub(super) fn has_harmed_enough(&self) -> bool {
        self.harmed().len() >= MOST_WORKERS
    }

    /// The workers on which an attempt failed by the worker's fault, since the last retry by a person.
    fn harmed(&self) -> BTreeSet<&WorkerName> {
        let harmed = self.harms().map(|attempt| &attempt.worker);
        harmed.collect()
    }

    /// The attempts that failed by the worker's fault, since the last retry by a person.
    fn harms(&self) -> impl Iterator<Item = &Attempt> {
        self.failures.iter().filter(|attempt| {
            attempt.number > self.renewed && attempt.failure.fault == Fault::Worker
        })
    }

    /// Whether the loss of a worker with its attempt at this job uses up no attempt, though it was the last one. A split
    /// job runs on many workers: the loss of one of them costs a chunk, until the chunk itself is suspected.
    pub(super) fn forgives_loss(&self) -> bool {
        let is_part = !self.job.id.is_whole();
        is_part && self.spent() >= self.job.attempts && self.harms().count() < MOST_WORKERS
    }

    /// The loss of the last worker as it is told once no further one is put at risk.
    pub(super) fn told_harm(&self, last: Failure) -> Failure {
        if !self.has_harmed_enough() {
            return last;
        }
        let workers: Vec<&str> = self.harmed().into_iter().map(WorkerName::as_str).collect();
        Failure {
            message: format!(
                "{} failed by it or vanished over it, so no further worker is put at risk: look into their logs and memory, then retry it ({})",
                workers.join(", "),
                last.message
            ),
            ..last
        }
    }

    /// How many of the last attempts in a row failed by a passing fault without using up an attempt.
    pub fn passing_failures(&self) -> usize {
        let failures = self.failures.iter().rev();
        failures
            .take_while(|attempt| !attempt.failure.uses_attempt())
            .count()
    }

    /// Records the failure of an attempt.
    pub(super) fn note_failure(
        &mut self,
        worker: &WorkerName,
        since: Timestamp,
        failure: &Failure,
    ) {
        self.failures.push(Attempt {
            number: self.attempt,
            worker: worker.clone(),
            started: since,
            ended: self.changed,
            failure: failure.clone(),
        });
        let middle = self.failures.get(KEPT_FAILURES);
        // Attempts that were used up are few, and decide whether there is another: they are kept.
        if self.failures.len() > 2 * KEPT_FAILURES
            && middle.is_some_and(|attempt| !attempt.failure.uses_attempt())
        {
            self.failures.remove(KEPT_FAILURES);
        }
    }

    /// Whether the last attempt failed on this worker, by its fault.
    pub fn failed_last_on(&self, worker: &WorkerName) -> bool {
        self.failures.last().is_some_and(|attempt| {
            attempt.worker == *worker && attempt.failure.fault == Fault::Worker
        })
    }

    /// The workers on which an attempt failed with the same message, since the last retry by a person.
    pub fn failed_alike_on(&self, failure: &Failure) -> impl Iterator<Item = &WorkerName> {
        let alike = move |attempt: &&Attempt| {
            attempt.number > self.renewed && attempt.failure.message == failure.message
        };
        self.failures
            .iter()
            .filter(alike)
            .map(|attempt| &attempt.worker)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::farm::queue::Lane;
    use crate::job::Job;
    use crate::job::id::JobId;
    use crate::job::part::Part;
    use crate::recipe::Choice;
    use crate::testing;

    #[test]
    fn attempts_failed_alike_only_with_the_same_message() {
        let job = testing::job(Choice::Encoder("hevc_nvenc".parse().expect("a name")), 1);
        let lane = Lane::from_consumer("hevc_nvenc_p5").expect("a lane");
        let worker: WorkerName = "a".parse().expect("a name");
        let now = Timestamp::UNIX_EPOCH;
        let alike = |frames: u64| Failure::worker(format!("output has {frames} frames"));
        let run = Run::first(job, &lane, 1, worker.clone(), now);
        let mut run = run.fail(alike(25), SignedDuration::ZERO, now);
        assert!(run.failed_alike_on(&alike(25)).eq([&worker]));
        assert_eq!(run.failed_alike_on(&alike(26)).count(), 0);
        run.renewed = run.attempt;
        assert_eq!(run.failed_alike_on(&alike(25)).count(), 0);
    }

    /// The run after so many workers were lost with it, one after the other.
    fn lost_with(id: JobId, attempts: u32, workers: &[&str]) -> Run {
        let job = Job {
            id,
            attempts,
            ..testing::job(Choice::Encoder("libx265".parse().expect("a name")), 1)
        };
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let now = Timestamp::UNIX_EPOCH;
        let worker = |name: &str| name.parse().expect("a name");
        let first = Run::first(job, &lane, 1, worker(workers[0]), now);
        let next = workers[1..].iter().chain(&["w"]);
        next.fold(first, |run, name| {
            run.take_over(&lane, 1, worker(name), now)
        })
    }

    #[test]
    fn the_loss_of_a_worker_costs_a_part_and_not_its_last_attempt() {
        let whole = JobId::NIL;
        let chunk = whole.with_part(Part::Chunk(7));
        let is_over =
            |id, attempts, workers: &[&str]| lost_with(id, attempts, workers).state.is_terminal();
        assert!(is_over(whole, 1, &["a"]));
        assert!(!is_over(chunk, 1, &["a"]));
        assert!(!is_over(chunk, 1, &["a", "b"]));
        assert!(is_over(chunk, 1, &["a", "b", "c"]));
        assert!(is_over(chunk, 1, &["a", "a", "a"]), "always the same one");
        assert!(is_over(chunk, 9, &["a", "b", "c"]));
        // Then it has its attempts, as before.
        let run = lost_with(chunk, 1, &["a", "b"]);
        assert_eq!((run.attempt, run.spent(), run.only_looks()), (3, 1, false));
        let failed = run.fail(
            Failure::worker("disk full"),
            SignedDuration::ZERO,
            run.changed,
        );
        assert!(failed.state.is_terminal());
    }

    #[test]
    fn a_job_that_is_too_dangerous_is_told_with_its_workers() {
        let run = lost_with(JobId::NIL, 9, &["a", "b", "c"]);
        let RunState::Failed { failure } = &run.state else {
            panic!("{run:#?}");
        };
        let told = failure.message.as_str();
        assert!(
            told.starts_with("a, b, c failed by it or vanished over it"),
            "{told}"
        );
        assert!(
            told.ends_with("(worker c vanished: its lease ran out)"),
            "{told}"
        );
    }

    #[test]
    fn passing_failures_use_up_no_attempt_and_the_record_stays_small() {
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
            run = run.fail(Failure::passing("no answer").using_attempt(), soon, now);
        }
        assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
    }
}
