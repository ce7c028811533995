//! Every name on the broker: subjects, streams, consumers, buckets. No other module spells a name out.

use uuid::Uuid;

use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::notify::delivery::DeliveryKey;

/// The stream of the work queue.
pub const JOBS: &str = "JOBS";
/// The stream of the history of jobs.
pub const EVENTS: &str = "EVENTS";
/// The stream of dead letters: jobs that failed for good.
pub const DEAD: &str = "DEAD";
/// Key-value bucket of runs, by [`run`].
pub const RUNS: &str = "runs";
/// Key-value bucket of claims of outputs, by [`output`], and of records of master files, by [`master`].
pub const OUTPUTS: &str = "outputs";
/// Key-value bucket of live workers' heartbeats, by worker.
pub const WORKERS: &str = "workers";

/// Key-value bucket of split jobs: their plans, by [`plan`], and which parts are done, by [`split_state`].
pub const PLANS: &str = "plans";

/// The subjects of [`JOBS`].
pub const JOBS_SUBJECTS: [&str; 2] = ["jobs.*.*.*.*", "later.*.*"];
/// The subjects of [`EVENTS`].
pub const EVENTS_SUBJECTS: &str = "events.*.*";
/// The subjects of [`DEAD`].
pub const DEAD_SUBJECTS: &str = "dead.*.*";
/// The messages of [`JOBS`] that the broker republishes as wake-ups.
pub const WAKE_SOURCE: &str = "jobs.*.*.*.*";
/// The subject of a wake-up, as the broker's mapping of [`WAKE_SOURCE`].
pub const WAKE_DESTINATION: &str = "wake.{{wildcard(1)}}";

/// The broker's notices that a consumer of [`JOBS`] was made; the last token is its name.
pub const LANES_MADE: &str = "$JS.EVENT.ADVISORY.CONSUMER.CREATED.JOBS.*";

/// Key-value bucket of orders: pauses, drains and working hours.
pub const CONTROL: &str = "control";
/// The broker's notices of changes in [`CONTROL`], sent once a change is stored.
pub const ORDERS: &str = "orders.>";
/// Key-value bucket of batches.
pub const BATCHES: &str = "batches";
/// Key-value bucket of a farm's settings: see [`preset`], [`DEFAULT_PRESET`] and [`RETENTION`].
pub const SETTINGS: &str = "settings";
/// The key in [`SETTINGS`] of the default preset's name.
pub const DEFAULT_PRESET: &str = "default";
/// The key in [`SETTINGS`] of the days that history is kept.
pub const RETENTION: &str = "history";
/// Key-value bucket of libraries, by name, and of their scan leases, by [`scan`].
pub const LIBRARIES: &str = "libraries";
/// Key-value bucket of what is known of the files of libraries, by [`file`].
pub const FILES: &str = "files";
/// The changes of [`LIBRARIES`] that the broker sends notices of: those by people.
pub const LIBRARY_SOURCE: &str = "$KV.libraries.*";
/// The subject of such a notice, as the broker's mapping of [`LIBRARY_SOURCE`].
pub const LIBRARY_DESTINATION: &str = "library.{{wildcard(1)}}";
/// The broker's notices of changes of libraries, sent once a change is stored.
pub const LIBRARY_NOTICES: &str = "library.*";
/// The end of the keys of scan leases.
pub(crate) const SCAN_SUFFIX: &str = ".scan";
/// The keys of all scan leases.
pub(crate) const ALL_SCANS: &str = "*.scan";
/// Prefix of the keys of saved presets in [`SETTINGS`].
pub const PRESETS: &str = "preset.";

/// Key-value bucket of autoscalers: their leases, workers and decisions, by name.
pub const AUTOSCALERS: &str = "autoscalers";
/// Questions how many workers a class needs, which one of the monitors answers.
pub const SCALE: &str = "scale";
/// The queue group of monitors that answer.
pub const MONITORS: &str = "monitors";

/// Key-value bucket of hooks, by name. A bucket of its own: hooks hold secrets, and not every user may read them.
pub const HOOKS: &str = "hooks";
/// The broker's own copies of changes in [`HOOKS`], as they are sent.
pub const HOOKS_CHANGED: &str = "$KV.hooks.*";
/// Key-value bucket of what hooks are told: see [`delivery`], [`hook_health`] and [`NOTIFIED_RUNS`].
pub const NOTIFICATIONS: &str = "notifications";
/// Prefix of the keys of deliveries in [`NOTIFICATIONS`].
pub const DELIVERIES: &str = "delivery.";
/// Prefix of the keys of the health of hooks in [`NOTIFICATIONS`].
pub const HOOK_HEALTHS: &str = "health.";
/// The key in [`NOTIFICATIONS`] of the sequence up to which changes of runs were told.
pub const NOTIFIED_RUNS: &str = "runs";

/// A pending job in a lane.
pub fn job(lane: &Lane, job: &JobId) -> String {
    format!("jobs.{}.{}.{}", lane.queue, lane.priority, key(job))
}

/// A pending job in any lane.
pub fn job_anywhere(job: &JobId) -> String {
    format!("jobs.*.*.{}", key(job))
}

/// The job and its part, as two tokens.
fn key(job: &JobId) -> String {
    format!("{}.{}", job.whole(), job.part())
}

/// Reads what [`key`] has written.
fn of_key(job: &str, part: &str) -> Option<JobId> {
    let job: JobId = job.parse().ok()?;
    Some(job.with_part(part.parse().ok()?))
}

/// The filter of a lane's consumer.
pub fn lane(lane: &Lane) -> String {
    format!("jobs.{}.{}.*.*", lane.queue, lane.priority)
}

/// All pending jobs of a queue.
pub fn queue(queue: &Queue) -> String {
    format!("jobs.{queue}.*.*.*")
}

/// The parsed subject of a pending job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSubject {
    /// The job's queue and priority.
    pub lane: Lane,
    /// The job's id.
    pub job: JobId,
}

impl JobSubject {
    /// Parses `jobs.<queue>.<priority>.<job>.<part>`; `None` for any other subject.
    pub fn parse(subject: &str) -> Option<Self> {
        let mut tokens = subject.split('.');
        if tokens.next()? != "jobs" {
            return None;
        }
        let queue = tokens.next()?.parse().ok()?;
        let priority: Priority = tokens.next()?.parse().ok()?;
        let job = of_key(tokens.next()?, tokens.next()?)?;
        Some(Self {
            lane: Lane { priority, queue },
            job,
        })
    }
}

/// The job of `jobs.<queue>.<priority>.<job>.<part>`, even if the other tokens are invalid.
pub fn job_of_message(subject: &str) -> Option<JobId> {
    let mut tokens = subject.strip_prefix("jobs.")?.split('.').skip(2);
    of_key(tokens.next()?, tokens.next()?)
}

/// A job that waits for the time of its retry.
pub fn later(job: &JobId) -> String {
    format!("later.{job}.all")
}

/// A job that waits until its `nth` fallback opens.
pub fn hop(job: &JobId, nth: usize) -> String {
    format!("later.{job}.hop{nth}")
}

/// A parked job, whose batch is paused.
pub fn parked(job: &JobId) -> String {
    format!("later.{job}.parked")
}

/// All parked jobs.
pub const PARKED: &str = "later.*.parked";

/// The front marker before a long queue, which no lane delivers (see [`crate::broker::Broker::enqueue`]).
pub const FRONT: &str = "later.front.all";

/// All scheduled and parked messages of a job.
pub fn later_anywhere(job: &JobId) -> String {
    format!("later.{job}.*")
}

/// The wake-ups of a queue; idle workers join the queue group of the same name.
pub fn wake(queue: &Queue) -> String {
    format!("wake.{queue}")
}

/// The key of an output in [`OUTPUTS`].
pub fn output(output: &Location) -> String {
    id_of(output).simple().to_string()
}

/// What stands for a location in a key.
fn id_of(location: &Location) -> Uuid {
    let text = String::from(location.clone());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes())
}

/// The key in [`OUTPUTS`] of the record of a ladder's master files, by the master playlist.
pub fn master(playlist: &Location) -> String {
    format!("master.{}", output(playlist))
}

/// The key of a job's run in [`RUNS`].
pub fn run(job: &JobId) -> String {
    key(job)
}

/// The job of a key in [`RUNS`].
pub fn job_of_run(key: &str) -> Option<JobId> {
    let (job, part) = key.split_once('.')?;
    of_key(job, part)
}

/// The key of a plan in [`PLANS`], whichever part of the job is named.
pub fn plan(job: &JobId) -> String {
    job.whole().to_string()
}

/// The key in [`PLANS`] of the state of a split.
pub fn split_state(job: &JobId) -> String {
    format!("{}.state", job.whole())
}

/// The keys of the states of all splits.
pub(crate) const SPLIT_STATES: &str = "*.state";

/// The key of a saved preset in [`SETTINGS`].
pub fn preset(name: &Token) -> String {
    format!("{PRESETS}{name}")
}

/// The key of a delivery in [`NOTIFICATIONS`].
pub fn delivery(key: &DeliveryKey) -> String {
    format!("{DELIVERIES}{}.{}", key.occurrence.simple(), key.hook)
}

/// The delivery of a key without its prefix.
pub(crate) fn delivery_of_key(key: &str) -> Option<DeliveryKey> {
    let (occurrence, hook) = key.split_once('.')?;
    Some(DeliveryKey {
        occurrence: Uuid::try_parse(occurrence).ok()?,
        hook: hook.parse().ok()?,
    })
}

/// The key of a hook's health in [`NOTIFICATIONS`].
pub fn hook_health(hook: &Token) -> String {
    format!("{HOOK_HEALTHS}{hook}")
}

/// The key of a library's scan lease in [`LIBRARIES`].
pub fn scan(library: &Token) -> String {
    format!("{library}{SCAN_SUFFIX}")
}

/// The key of a file of a library in [`FILES`].
pub fn file(library: &Token, file: &Location) -> String {
    format!("{library}.{}", output(file))
}

/// The keys of all files of a library.
pub(crate) fn files_of(library: &Token) -> String {
    format!("{library}.*")
}

/// The parsed key of a file of a library.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileKey {
    /// The library's name.
    pub library: Token,
    /// Stands for the file's location.
    pub file: Uuid,
}

impl FileKey {
    /// The key of a file of a library.
    pub fn of(library: &Token, file: &Location) -> Self {
        Self {
            library: library.clone(),
            file: id_of(file),
        }
    }

    /// Parses `$KV.files.<library>.<file>`; `None` for any other subject.
    pub fn parse(subject: &str) -> Option<Self> {
        let key = subject.strip_prefix(&kv(FILES, ""))?;
        let (library, file) = key.split_once('.')?;
        Some(Self {
            library: library.parse().ok()?,
            file: file.parse().ok()?,
        })
    }
}

/// The name of a bucket's stream.
pub fn bucket(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// The subject of a bucket's key, for requests that the key-value API does not have.
pub fn kv(bucket: &str, key: &str) -> String {
    format!("$KV.{bucket}.{key}")
}

/// An event of a job; `*` as the kind stands for all.
pub fn event(job: &JobId, kind: &str) -> String {
    format!("events.{job}.{kind}")
}

/// The completion of any job.
pub const COMPLETED: &str = "events.*.completed";

/// The dead letter of a job.
pub fn dead(queue: &Queue, job: &JobId) -> String {
    format!("dead.{queue}.{job}")
}

/// The dead letter of an unreadable message of the work queue, by the message's subject.
pub fn dead_of_message(subject: &str) -> String {
    let token = |nth| subject.split('.').nth(nth).unwrap_or("unknown");
    let job = match job_of_message(subject) {
        Some(job) => job.to_string(),
        None => token(3).to_owned(),
    };
    format!("dead.{}.{job}", token(1))
}

/// The dead letter of a job, from any queue.
pub fn dead_anywhere(job: &JobId) -> String {
    format!("dead.*.{job}")
}

/// Live progress of a job.
pub fn progress(job: &JobId) -> String {
    format!("progress.{job}")
}

/// Live progress of all jobs.
pub const PROGRESS_OF_ALL: &str = "progress.*";

/// Live log of a job and its parts.
pub fn logs(job: &JobId) -> String {
    format!("logs.{job}")
}

/// Requests to a worker for a preview of a job's file, or for a forecast.
pub fn peek(worker: &WorkerName) -> String {
    format!("peek.{worker}")
}

/// Requests to a worker for the encode of a sample, and its score.
pub fn sample(worker: &WorkerName) -> String {
    format!("sample.{worker}")
}

/// Requests to a worker: does it run an attempt at a job?
pub fn owner(worker: &WorkerName) -> String {
    format!("owner.{worker}")
}

/// Notices to a job's owner that the run has changed.
pub fn control_job(job: &JobId) -> String {
    format!("control.job.{job}")
}

/// Requests to a worker about the sources that jobs have replaced.
pub fn trash(worker: &WorkerName) -> String {
    format!("trash.{worker}")
}

/// Prefix of the subjects of all answers.
pub const INBOXES: &str = "_INBOX.";

/// Prefix of the inboxes of a broker's user: no other user hears the answers there.
pub fn inbox(user: &Token) -> String {
    format!("{INBOXES}{user}")
}

/// Requests to a worker to end its quarantine.
pub fn lift(worker: &WorkerName) -> String {
    format!("lift.{worker}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::part::Part;

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
        assert_eq!(JobSubject::parse(&subject), Some(place.clone()));
        let chunk = id.with_part(Part::Chunk(7));
        let of_chunk = super::job(&place.lane, &chunk);
        assert_eq!(of_chunk, subject.replace(".all", ".chunk-7"));
        assert_eq!(job_of_message(&of_chunk), Some(chunk));
        assert_eq!(job_of_run(&run(&chunk)), Some(chunk));
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
