//! Batches: the jobs that one command enqueued together, and their progress.

use std::ops::AddAssign;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::job::id::{BatchId, JobId};
use crate::job::record::JobRecord;
use crate::job::run::RunState;
use crate::job::state::JobState;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::wire;

/// The stored record of a batch; its jobs carry its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The batch's id.
    pub id: BatchId,
    /// A name for people, e.g. the folder that was enqueued.
    pub label: String,
    /// Number of jobs that were added; until all are added, the number that is planned.
    pub jobs: u64,
    /// When the batch was enqueued.
    pub enqueued: Timestamp,
    /// The folder of the batch's outputs; `None` for batches of old programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Location>,
    /// The trashes that take the sources which its jobs replace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trash: Vec<Location>,
    /// The film that its jobs are samples of; `None` for other batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub film: Option<SampledFilm>,
    /// The library that enqueued it; `None` if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Token>,
}

impl wire::Message for Batch {}

/// The film of a batch of samples, as far as the recipe would encode it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampledFilm {
    /// Bytes of the input.
    pub size: u64,
    /// Length in seconds.
    pub length: f64,
    /// The jobs of the samples, in the order of the film: clips that an earlier batch has made are among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobId>,
}

/// A batch is stored before its jobs are enqueued. After this time, the jobs that exist are all of its jobs, unless
/// the program that enqueues them still corrects the number.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

impl Batch {
    /// The library whose files it encodes; `None` if a person enqueued it. Checks make no outputs, and encode nothing.
    pub fn encodes(&self) -> Option<&Token> {
        self.library.as_ref().filter(|_| self.folder.is_some())
    }

    /// The batch for a listing, if `named` jobs carry its id; `None` if it holds no job. A command that was killed
    /// may have added fewer jobs than the record says, or none.
    #[must_use]
    pub fn counted(mut self, named: u64, now: Timestamp) -> Option<Self> {
        if now.duration_since(self.enqueued) > SETTLED {
            self.jobs = named;
        }
        (self.jobs > 0).then_some(self)
    }
}

/// The jobs of a batch by state, with their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchProgress {
    /// Jobs that wait for a worker.
    pub pending: u64,
    /// Jobs that are parked because the batch is paused.
    pub paused: u64,
    /// Jobs that wait for their next attempt.
    pub waiting: u64,
    /// Jobs that a worker runs.
    pub running: u64,
    /// Jobs that are completed.
    pub completed: u64,
    /// Jobs whose original is the better result.
    #[serde(default)]
    pub kept: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Jobs that a person cancelled.
    pub cancelled: u64,
    /// Bytes of the inputs of the completed encodes.
    pub input_bytes: u64,
    /// Bytes of the outputs of the completed encodes.
    pub output_bytes: u64,
    /// Bytes of the inputs of the jobs that have not ended.
    pub bytes_left: u64,
}

impl BatchProgress {
    /// Counts one job of the batch.
    pub fn add(&mut self, record: &JobRecord) {
        let count = match record.state() {
            JobState::Pending => &mut self.pending,
            JobState::Paused => &mut self.paused,
            JobState::Running => &mut self.running,
            JobState::Waiting => &mut self.waiting,
            JobState::Completed => &mut self.completed,
            JobState::Kept => &mut self.kept,
            JobState::Failed => &mut self.failed,
            JobState::Cancelled => &mut self.cancelled,
        };
        *count += 1;
        // A check has read its input, and made nothing that could be smaller.
        let is_encode = record.job().kind.writes();
        if let Some(RunState::Completed { report }) = record.run().map(|run| &run.state)
            && is_encode
        {
            self.input_bytes = self.input_bytes.saturating_add(report.input_size);
            self.output_bytes = self.output_bytes.saturating_add(report.output_size);
        }
        if !record.has_ended() {
            self.bytes_left = self.bytes_left.saturating_add(record.job().input.size);
        }
    }

    /// Number of all jobs.
    pub fn jobs(&self) -> u64 {
        self.open() + self.completed + self.kept + self.failed + self.cancelled
    }

    /// Number of jobs that have not ended.
    pub fn open(&self) -> u64 {
        self.pending + self.paused + self.waiting + self.running
    }
}

impl AddAssign for BatchProgress {
    fn add_assign(&mut self, other: Self) {
        self.pending += other.pending;
        self.paused += other.paused;
        self.waiting += other.waiting;
        self.running += other.running;
        self.completed += other.completed;
        self.kept += other.kept;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.input_bytes = self.input_bytes.saturating_add(other.input_bytes);
        self.output_bytes = self.output_bytes.saturating_add(other.output_bytes);
        self.bytes_left = self.bytes_left.saturating_add(other.bytes_left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::job::run::Run;
    use crate::recipe::Choice;
    use crate::testing::{job, report};

    #[test]
    fn a_batch_of_a_killed_command_counts_the_jobs_that_exist() {
        let batch = Batch {
            id: BatchId::new(),
            label: "films".to_owned(),
            jobs: 10,
            enqueued: Timestamp::UNIX_EPOCH,
            folder: None,
            trash: Vec::new(),
            film: None,
            library: None,
        };
        let jobs_after = |minutes, named| {
            let now = batch.enqueued + SignedDuration::from_mins(minutes);
            batch.clone().counted(named, now).map(|batch| batch.jobs)
        };
        assert_eq!(jobs_after(1, 0), Some(10), "its jobs are on their way");
        assert_eq!(jobs_after(11, 4), Some(4));
        assert_eq!(jobs_after(11, 0), None);
    }

    #[test]
    fn every_job_counts_once_with_its_bytes() {
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let now = Timestamp::UNIX_EPOCH;
        let run = |size| {
            let job = job(Choice::Encoder("libx265".parse().expect("one")), size);
            Box::new(Run::unclaimed(job, &lane, now))
        };
        let worker = || "w1".parse().expect("a name");
        let running = run(10).take_over(&lane, 1, worker(), now);
        let done = running.complete(report("w1", "libx265", 10, 1.0), now);
        let mut progress = BatchProgress::default();
        for record in [
            JobRecord::Run(run(1)),
            JobRecord::Parked(run(2)),
            JobRecord::Run(Box::new(running)),
            JobRecord::Run(Box::new(done)),
            JobRecord::Run(Box::new(run(100).cancel(now).expect("open"))),
        ] {
            progress.add(&record);
        }
        let expected = BatchProgress {
            pending: 1,
            paused: 1,
            running: 1,
            completed: 1,
            cancelled: 1,
            input_bytes: 10,
            output_bytes: 5,
            bytes_left: 13,
            ..BatchProgress::default()
        };
        assert_eq!(progress, expected);
        assert_eq!((progress.jobs(), progress.open()), (5, 3));
    }
}
