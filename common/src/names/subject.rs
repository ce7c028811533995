//! Every name on the broker: subjects, streams, consumers, buckets. Nothing
//! else in the farm spells one out.

use uuid::Uuid;

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;
use crate::names::location::Location;
use crate::names::token::Token;

/// The work queue.
pub const JOBS: &str = "JOBS";
/// The history of jobs.
pub const EVENTS: &str = "EVENTS";
/// Jobs that failed for good.
pub const DEAD: &str = "DEAD";
/// Key-value bucket of runs, by job.
pub const RUNS: &str = "runs";
/// Key-value bucket of whose an output is, by [`output`].
pub const OUTPUTS: &str = "outputs";
/// Key-value bucket of live workers' heartbeats, by worker.
pub const WORKERS: &str = "workers";

/// What [`JOBS`] stores.
pub const JOBS_SUBJECTS: [&str; 2] = ["jobs.*.*.*.*", "later.*.*"];
/// What [`EVENTS`] stores.
pub const EVENTS_SUBJECTS: &str = "events.*.*";
/// What [`DEAD`] stores.
pub const DEAD_SUBJECTS: &str = "dead.*.*";
/// The messages of [`JOBS`] that the broker republishes as wake-ups.
pub const WAKE_SOURCE: &str = "jobs.*.*.*.*";
/// Where it rings, as the broker's mapping of [`WAKE_SOURCE`].
pub const WAKE_DESTINATION: &str = "wake.{{wildcard(1)}}";

/// On which the broker tells of each consumer of [`JOBS`] that was made, by its name in the last token.
pub const LANES_MADE: &str = "$JS.EVENT.ADVISORY.CONSUMER.CREATED.JOBS.*";

/// Key-value bucket of what people ordered: pauses and working hours.
pub const CONTROL: &str = "control";
/// Where the broker tells of a change in [`CONTROL`] once it has stored it.
pub const ORDERS: &str = "orders.>";
/// Key-value bucket of what was enqueued together.
pub const BATCHES: &str = "batches";
/// Key-value bucket of a farm's settings: see [`preset`], [`DEFAULT_PRESET`]
/// and [`RETENTION`].
pub const SETTINGS: &str = "settings";
/// The key in [`SETTINGS`] of the preset of jobs where nothing else says how.
pub const DEFAULT_PRESET: &str = "default";
/// The key in [`SETTINGS`] of the days that history is kept.
pub const RETENTION: &str = "history";
/// What the keys of saved presets in [`SETTINGS`] begin with.
pub const PRESETS: &str = "preset.";

/// The part of a job that is not split.
pub const WHOLE: &str = "all";

/// Where a pending job waits.
pub fn job(lane: &Lane, job: &JobId) -> String {
    format!("jobs.{}.{}.{job}.{WHOLE}", lane.queue, lane.priority)
}

/// A pending job, whatever its queue and priority.
pub fn job_anywhere(job: &JobId) -> String {
    format!("jobs.*.*.{job}.*")
}

/// What a lane's consumer takes.
pub fn lane(lane: &Lane) -> String {
    format!("jobs.{}.{}.*.*", lane.queue, lane.priority)
}

/// All pending jobs of a queue.
pub fn queue(queue: &Queue) -> String {
    format!("jobs.{queue}.*.*.*")
}

/// What a job's subject says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSubject {
    /// Who may run it, how urgently.
    pub lane: Lane,
    /// Which job.
    pub job: JobId,
}

impl JobSubject {
    /// Reads `jobs.<queue>.<priority>.<job>.<part>`; `None` for any other subject.
    pub fn parse(subject: &str) -> Option<Self> {
        let mut tokens = subject.split('.');
        if tokens.next()? != "jobs" {
            return None;
        }
        let queue = tokens.next()?.parse().ok()?;
        let priority: Priority = tokens.next()?.parse().ok()?;
        let job = tokens.next()?.parse().ok()?;
        Some(Self {
            lane: Lane { priority, queue },
            job,
        })
    }
}

/// The job of `jobs.<queue>.<priority>.<job>.<part>`, whatever the others are.
pub fn job_of_message(subject: &str) -> Option<JobId> {
    subject
        .strip_prefix("jobs.")?
        .split('.')
        .nth(2)?
        .parse()
        .ok()
}

/// Where a job that is to be retried later waits for its time.
pub fn later(job: &JobId) -> String {
    format!("later.{job}.{WHOLE}")
}

/// Where a job waits for its `nth` further queue to be opened to it.
pub fn hop(job: &JobId, nth: usize) -> String {
    format!("later.{job}.hop{nth}")
}

/// Where a job of a paused batch is put aside.
pub fn parked(job: &JobId) -> String {
    format!("later.{job}.parked")
}

/// All jobs that were put aside.
pub const PARKED: &str = "later.*.parked";

/// What stands before a long queue for nobody to take (see
/// [`crate::broker::Broker::enqueue`]).
pub const FRONT: &str = "later.front.all";

/// Whatever of a job waits for its time.
pub fn later_anywhere(job: &JobId) -> String {
    format!("later.{job}.*")
}

/// The wake-ups of a queue; idle workers join the queue group of the same name.
pub fn wake(queue: &Queue) -> String {
    format!("wake.{queue}")
}

/// The key of an output in [`OUTPUTS`].
pub fn output(output: &Location) -> String {
    let text = String::from(output.clone());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes())
        .simple()
        .to_string()
}

/// The key of a job's run in [`RUNS`].
pub fn run(job: &JobId) -> String {
    format!("{job}.{WHOLE}")
}

/// The job that a key of [`RUNS`] belongs to.
pub fn job_of_run(key: &str) -> Option<JobId> {
    key.split('.').next()?.parse().ok()
}

/// The key of a saved preset in [`SETTINGS`].
pub fn preset(name: &Token) -> String {
    format!("{PRESETS}{name}")
}

/// The stream behind a bucket.
pub fn bucket(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The subject behind a key of a bucket, for what the key-value API cannot say.
pub fn kv(bucket: &str, key: &str) -> String {
    format!("$KV.{bucket}.{key}")
}

/// A job's history.
pub fn event(job: &JobId, kind: &str) -> String {
    format!("events.{job}.{kind}")
}

/// Every job's completion.
pub const COMPLETED: &str = "events.*.completed";

/// A job that failed for good.
pub fn dead(queue: &Queue, job: &JobId) -> String {
    format!("dead.{queue}.{job}")
}

/// Where a message of the work queue goes that is no job of this farm.
pub fn dead_of_message(subject: &str) -> String {
    let token = |nth| subject.split('.').nth(nth).unwrap_or("unknown");
    format!("dead.{}.{}", token(1), token(3))
}

/// A job that failed for good, whatever queue it was taken from last.
pub fn dead_anywhere(job: &JobId) -> String {
    format!("dead.*.{job}")
}

/// Live progress of a job.
pub fn progress(job: &JobId) -> String {
    format!("progress.{job}")
}

/// Live progress of all jobs.
pub const PROGRESS_OF_ALL: &str = "progress.*";

/// Live log of a job.
pub fn logs(job: &JobId) -> String {
    format!("logs.{job}")
}

/// Where a worker is asked to peek into a job's file.
pub fn peek(worker: &WorkerName) -> String {
    format!("peek.{worker}")
}

/// Where a worker is asked whether it is at a job.
pub fn owner(worker: &WorkerName) -> String {
    format!("owner.{worker}")
}

/// Nudges whoever runs a job to look at its run again.
pub fn control_job(job: &JobId) -> String {
    format!("control.job.{job}")
}

/// Where a worker is asked to end its quarantine.
pub fn lift(worker: &WorkerName) -> String {
    format!("lift.{worker}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_subject_reads_back() {
        let id: JobId = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
            .parse()
            .expect("an id");
        let place = JobSubject {
            lane: Lane {
                priority: Priority::default(),
                queue: "libvpx-vp9".parse().expect("a queue"),
            },
            job: id,
        };
        let subject = job(&place.lane, &id);
        assert_eq!(
            subject,
            "jobs.libvpx-vp9.5.9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab.all"
        );
        assert_eq!(JobSubject::parse(&subject), Some(place));
        assert_eq!(JobSubject::parse("later.x.all"), None);
        assert_eq!(job_of_message(&subject), Some(id));
        let foreign = subject.replace(".5.", ".99.");
        assert_eq!(JobSubject::parse(&foreign), None);
        assert_eq!(job_of_message(&foreign), Some(id));
    }

    #[test]
    fn tokens_keep_wildcards_and_dots_out() {
        for bad in ["", "a.b", "*", ">", "a b", "é", &"x".repeat(129)] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
        assert_eq!(Token::sanitised("my host.local").as_str(), "my-host-local");
    }
}
