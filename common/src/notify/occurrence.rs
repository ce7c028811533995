//! What happened, with the facts that messages tell.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::job::batch::Batch;
use crate::job::id::{BatchId, JobId};
use crate::job::run::{Run, RunState};
use crate::names::location::Location;
use crate::names::token::Token;
use crate::notify::event::EventKind;
use crate::wire;

/// Something that happened once. Every program that sees it gives it the same id, so it is told once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The id; a receiver knows by it that it has heard of this before.
    pub id: Uuid,
    /// When it happened, by the broker's clock.
    pub at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// All jobs of a batch have ended.
    BatchDone(BatchDone),
    /// A job failed for good.
    JobFailed(JobFailed),
    /// A job was completed.
    JobCompleted(JobCompleted),
    /// A worker is lost.
    WorkerLost(WorkerLost),
    /// Nothing is left to do in a library.
    LibraryFinished(LibraryFinished),
    /// A person tried a hook.
    Test,
}

/// A batch whose jobs have all ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchDone {
    /// The batch; `None` if a command added no job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// The batch's name for people.
    pub label: String,
    /// The library that enqueued it; `None` if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Token>,
    /// The folder of its outputs, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Location>,
    /// Number of its jobs.
    pub jobs: u64,
    /// Jobs that were completed.
    pub completed: u64,
    /// Jobs that ended as kept: the original is the better result.
    pub kept: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Jobs that a person cancelled.
    pub cancelled: u64,
    /// Of the completed jobs, the checks that found damage.
    #[serde(default, skip_serializing_if = "wire::is_default")]
    pub damaged: u64,
    /// Jobs that put a file in its place; checks, samples and kept originals do not. `None` from an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
}

/// A job that failed for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobFailed {
    /// The job.
    pub job: JobId,
    /// Its batch.
    pub batch: BatchId,
    /// The batch's name for people; empty if it is not known.
    pub label: String,
    /// The library that enqueued it; `None` if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Token>,
    /// What was to be encoded.
    pub input: Location,
    /// What was to be made.
    pub output: Location,
    /// The worker of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerName>,
    /// Number of attempts.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub message: String,
}

/// A job that was completed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobCompleted {
    /// The job.
    pub job: JobId,
    /// Its batch.
    pub batch: BatchId,
    /// The batch's name for people; empty if it is not known.
    pub label: String,
    /// The library that enqueued it; `None` if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<Token>,
    /// What was encoded.
    pub input: Location,
    /// What was made.
    pub output: Location,
    /// The worker.
    pub worker: WorkerName,
    /// Bytes of the input.
    pub input_size: u64,
    /// Bytes of the output.
    pub output_size: u64,
}

/// A worker that sends no more heartbeats, and had not signed off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerLost {
    /// The worker.
    pub worker: WorkerName,
    /// When it was last heard, by its own clock.
    pub heard: Timestamp,
    /// How many jobs it ran; other workers take them over.
    pub jobs: u64,
}

/// A library in which nothing is left to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LibraryFinished {
    /// The library.
    pub library: Token,
    /// Number of its files.
    pub files: u64,
    /// Those of them that can have no job for now.
    #[serde(default, skip_serializing_if = "wire::is_default")]
    pub refused: u64,
}

impl Fact {
    /// The kind of event.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::BatchDone(_) => EventKind::BatchDone,
            Self::JobFailed(_) => EventKind::JobFailed,
            Self::JobCompleted(_) => EventKind::JobCompleted,
            Self::WorkerLost(_) => EventKind::WorkerLost,
            Self::LibraryFinished(_) => EventKind::LibraryFinished,
            Self::Test => EventKind::Test,
        }
    }

    /// Whether files may lie in a place where they did not lie before: what media servers look for.
    pub fn has_written(&self) -> bool {
        match self {
            Self::BatchDone(done) => done.written != Some(0),
            Self::JobCompleted(_) | Self::LibraryFinished(_) | Self::Test => true,
            Self::JobFailed(_) | Self::WorkerLost(_) => false,
        }
    }

    /// The library that it is about, or whose jobs it is about.
    pub fn library(&self) -> Option<&Token> {
        match self {
            Self::BatchDone(done) => done.library.as_ref(),
            Self::JobFailed(failed) => failed.library.as_ref(),
            Self::JobCompleted(completed) => completed.library.as_ref(),
            Self::LibraryFinished(finished) => Some(&finished.library),
            Self::WorkerLost(_) | Self::Test => None,
        }
    }

    /// The name for people: of the batch, or of the library.
    pub fn scope(&self) -> Option<&str> {
        match self {
            Self::BatchDone(done) => Some(&done.label),
            Self::JobFailed(failed) => Some(&failed.label),
            Self::JobCompleted(completed) => Some(&completed.label),
            Self::LibraryFinished(finished) => Some(finished.library.as_str()),
            Self::WorkerLost(_) | Self::Test => None,
        }
    }
}

impl Occurrence {
    /// What makes the occurrence one and the same for every program: `key` tells it apart from others of its kind.
    fn new(at: Timestamp, key: &str, fact: Fact) -> Self {
        let name = format!("{} {key}", fact.kind());
        Self {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
            at,
            fact,
        }
    }

    /// All jobs of a batch have ended, the last one at `at`.
    pub fn batch_done(batch: BatchId, done: BatchDone, at: Timestamp) -> Self {
        let key = format!("{batch} {}", at.as_millisecond());
        Self::new(at, &key, Fact::BatchDone(done))
    }

    /// The jobs of a command have ended; for the command itself.
    pub fn command_done(done: BatchDone, at: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            at,
            fact: Fact::BatchDone(done),
        }
    }

    /// What a run that has just changed tells: a failure or a completion. A check makes nothing, so none of its own
    /// completion: its batch tells what it found.
    pub fn of_run(run: &Run, batch: Option<&Batch>) -> Option<Self> {
        let job = &run.job;
        let label = batch.map_or("", |batch| batch.label.as_str());
        let library = batch.and_then(|batch| batch.library.clone());
        let fact = match &run.state {
            RunState::Failed { failure } => Fact::JobFailed(JobFailed {
                job: job.id,
                batch: job.batch,
                label: label.to_owned(),
                library,
                input: job.input.location.clone(),
                output: job.output.clone(),
                worker: run.failures.last().map(|last| last.worker.clone()),
                attempts: run.attempt,
                message: failure.message.clone(),
            }),
            RunState::Completed { report } if job.kind.writes() => {
                Fact::JobCompleted(JobCompleted {
                    job: job.id,
                    batch: job.batch,
                    label: label.to_owned(),
                    library,
                    input: job.input.location.clone(),
                    output: job.output.clone(),
                    worker: report.worker.clone(),
                    input_size: report.input_size,
                    output_size: report.output_size,
                })
            }
            _ => return None,
        };
        let key = format!("{} {}", job.id, run.changed.as_millisecond());
        Some(Self::new(run.changed, &key, fact))
    }

    /// A worker whose last heartbeat is this one is lost.
    pub fn worker_lost(last: &Heartbeat, at: Timestamp) -> Self {
        let lost = WorkerLost {
            worker: last.name.clone(),
            heard: last.at,
            jobs: last.running.len() as u64,
        };
        let key = format!("{} {}", last.name, last.at.as_millisecond());
        Self::new(at, &key, Fact::WorkerLost(lost))
    }

    /// Nothing is left to do in a library, since `at`.
    pub fn library_finished(finished: LibraryFinished, at: Timestamp) -> Self {
        let key = format!("{} {}", finished.library, at.as_millisecond());
        Self::new(at, &key, Fact::LibraryFinished(finished))
    }

    /// A person tries a hook.
    pub fn test(at: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            at,
            fact: Fact::Test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::job::failure::Failure;
    use crate::job::kind::{CheckDepth, JobKind};
    use crate::recipe::Choice;
    use crate::testing;

    #[test]
    fn each_program_gives_an_occurrence_the_same_id() {
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let job = testing::job(Choice::Encoder("libx265".parse().expect("one")), 1000);
        let now = Timestamp::UNIX_EPOCH;
        let films = Batch {
            id: BatchId::new(),
            label: "films".to_owned(),
            jobs: 1,
            enqueued: now,
            folder: None,
            trash: Vec::new(),
            film: None,
            library: Some("shelf".parse().expect("a name")),
        };
        let films = Some(&films);
        let waiting = Run::unclaimed(job, &lane, now);
        assert_eq!(Occurrence::of_run(&waiting, films), None);
        let running = waiting.take_over(&lane, 1, "w1".parse().expect("a name"), now);
        assert_eq!(Occurrence::of_run(&running, films), None);
        let done = running.complete(testing::report("w1", "libx265", 10, 1.0), now);
        let told = Occurrence::of_run(&done, films).expect("told");
        let by_another = Occurrence::of_run(&done, None).expect("told");
        assert_eq!(told.id, by_another.id);
        assert_eq!(told.fact.kind(), EventKind::JobCompleted);
        // A check is no completion to other programs: nothing was made.
        let mut check = done.clone();
        check.job.kind = JobKind::Check(CheckDepth::Quick);
        assert_eq!(Occurrence::of_run(&check, films), None);
        // Failed anew after a retry by a person: that is news.
        let failed = |second| {
            let failure = Failure::input("the input is broken");
            let at = Timestamp::from_second(second).expect("a time");
            let failed = running.fail(failure, jiff::SignedDuration::ZERO, at);
            Occurrence::of_run(&failed, films).expect("told")
        };
        assert_ne!(failed(1).id, failed(2).id);
        assert_eq!(failed(1).fact.scope(), Some("films"));
        assert_eq!(failed(1).fact.library().map(Token::as_str), Some("shelf"));
    }
}
