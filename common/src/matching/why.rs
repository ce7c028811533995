//! Why a job is where it is, in one true sentence: pure, for every program
//! that tells it to a person.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::farm::orders::{Controls, Target};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker::{Away, Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::job::record::{JobRecord, QueueAhead};
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState, Stage};
use crate::matching::fit;
use crate::matching::fit::Unfit;
use crate::matching::outlook::{Outlook, Past, Waiting};
use crate::matching::plan::{Alternative, alternatives};
use crate::names::printable::printable;

/// Workers that a sentence names before it only counts them.
const NAMED: usize = 3;

/// What is known of a job and of those that could run it.
#[derive(Clone, Copy, Debug)]
pub struct WhyContext<'a> {
    /// The job.
    pub record: &'a JobRecord,
    /// The lanes that it may be taken from now.
    pub lanes: &'a [Lane],
    /// The lane that is opened to it next, and when.
    pub opens: Option<&'a (Lane, Timestamp)>,
    /// The workers that are alive.
    pub workers: &'a [Heartbeat],
    /// The orders that are in force.
    pub controls: &'a Controls,
}

/// Why a job is where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// What holds it, or became of it.
    #[serde(flatten)]
    pub cause: Cause,
    /// The further queue that is opened to it next.
    pub opens: Option<Opening>,
}

/// A queue that will be opened to a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opening {
    /// Which.
    pub queue: Queue,
    /// When.
    pub at: Timestamp,
}

/// What holds a job, or became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// It is done.
    Completed {
        /// Who did it.
        worker: WorkerName,
        /// When.
        at: Timestamp,
    },
    /// It failed for good.
    Failed {
        /// How often it was tried.
        attempts: usize,
        /// What went wrong last.
        message: String,
    },
    /// A person cancelled it.
    Cancelled {
        /// When.
        at: Timestamp,
    },
    /// A worker is at it.
    Running {
        /// Who.
        worker: WorkerName,
        /// What it is busy with, as far as its run says.
        stage: Stage,
        /// Since when.
        since: Timestamp,
        /// What its worker cannot reach now, of what it needs.
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<Away>,
    },
    /// Its worker gives no sign of life.
    Vanished {
        /// Who had it.
        worker: WorkerName,
    },
    /// An attempt failed; the next one has its time.
    Retry {
        /// When.
        until: Timestamp,
        /// Who tried last.
        worker: Option<WorkerName>,
        /// What went wrong.
        message: String,
    },
    /// Its batch is paused.
    BatchPaused {
        /// Which.
        batch: BatchId,
    },
    /// Its queue is paused.
    QueuePaused {
        /// Which; several where it waits in several.
        queues: Vec<Queue>,
    },
    /// It is pinned to a worker that is not alive.
    Offline {
        /// Which.
        worker: WorkerName,
    },
    /// No worker is alive.
    NoWorker,
    /// Nobody has proved what it needs.
    Unproved {
        /// Why each live worker cannot.
        workers: Vec<Reason>,
        /// What they have proved instead for the same codec.
        instead: Vec<Alternative>,
    },
    /// Who could run it takes other jobs only.
    Unwilling {
        /// What each of them takes.
        workers: Vec<Reason>,
    },
    /// Who would run it takes no jobs just now.
    Resting {
        /// What each of them does instead.
        workers: Vec<Reason>,
        /// Those of them that `producer resume` has take jobs at once.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        resumable: Vec<WorkerName>,
    },
    /// Who would run it cannot reach what it needs.
    Away {
        /// What each of them cannot reach, and why.
        workers: Vec<Reason>,
    },
    /// Nothing goes before it.
    Next {
        /// Who has a free slot for it.
        workers: Vec<WorkerName>,
    },
    /// It waits for its turn.
    InLine {
        /// Jobs before it.
        ahead: QueueAhead,
        /// Workers that run such jobs.
        workers: usize,
        /// Whether all of them are busy.
        is_busy: bool,
        /// Seconds until it starts, judged by what jobs took lately.
        starts_in: Option<f64>,
    },
}

/// Why a worker does not take a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Who.
    pub worker: WorkerName,
    /// Why not.
    pub reason: String,
}

impl WhyContext<'_> {
    /// The queues that it may be taken from now.
    fn open_queues(&self) -> Vec<&Queue> {
        let is_open = |queue: &&Queue| !self.controls.is_paused(&Target::Queue((*queue).clone()));
        self.queues().into_iter().filter(is_open).collect()
    }

    fn queues(&self) -> Vec<&Queue> {
        if self.lanes.is_empty() {
            return vec![self.record.queue()];
        }
        self.lanes.iter().map(|lane| &lane.queue).collect()
    }

    /// Whether a worker takes the job from any of the queues that are open to it.
    fn judge(&self, worker: &Heartbeat) -> Result<(), Unfit> {
        let judged = self
            .open_queues()
            .into_iter()
            .map(|queue| fit::takes(worker, self.record.job(), queue));
        judged
            .reduce(|one, other| match (one, other) {
                (Err(one), Err(other)) if one.nearness() >= other.nearness() => Err(one),
                (Err(_), other) => other,
                (one, _) => one,
            })
            .unwrap_or(Ok(()))
    }

    /// Those of the workers that a person can have take jobs at once.
    fn resumable(&self, workers: &[Reason]) -> Vec<WorkerName> {
        let is_quarantined = |worker: &Heartbeat| worker.status == WorkerStatus::Quarantined;
        let is_drained = |worker: &Heartbeat| {
            self.controls
                .is_paused(&Target::Worker(worker.name.clone()))
        };
        let resumable = |name: &&WorkerName| {
            let mut alive = self.workers.iter().filter(|worker| worker.name == **name);
            alive.any(|worker| is_quarantined(worker) || is_drained(worker))
        };
        let names = workers.iter().map(|reason| &reason.worker);
        names.filter(resumable).cloned().collect()
    }

    /// The workers that take the job when its turn comes.
    pub fn takers(&self) -> Vec<&Heartbeat> {
        let takes = |worker: &&Heartbeat| self.is_meant(worker) && self.judge(worker).is_ok();
        self.workers.iter().filter(takes).collect()
    }

    /// Whether the worker is the one that the job is pinned to, where it is.
    fn is_meant(&self, worker: &Heartbeat) -> bool {
        self.queues().into_iter().any(|queue| match queue {
            Queue::On(name) => *name == worker.name,
            _ => true,
        })
    }

    /// Tells the queues whose jobs compete with the job for those workers.
    pub fn contenders(&self) -> impl Fn(&Queue) -> bool {
        let takers = self.takers();
        move |queue| {
            !self.controls.is_paused(&Target::Queue(queue.clone()))
                && takers.iter().any(|worker| worker.serves(queue))
        }
    }

    /// The work before the job: what its workers run, and the jobs that go before it, each of the mean size
    /// of those that ended lately, and as fast as those.
    pub fn work(
        &self,
        ahead: QueueAhead,
        running: &[Run],
        reports: &[Report],
        now: Timestamp,
    ) -> Outlook {
        let takers = self.takers();
        let recipe = &self.record.job().recipe;
        let is_alike = |report: &&Report| {
            takers.iter().any(|worker| {
                worker.name == report.worker
                    && self.open_queues().iter().any(|queue| {
                        let encode = recipe.video_encode();
                        let made =
                            encode.and_then(|encode| worker.card.chosen(&encode.with, queue));
                        made.map(|(encoder, _)| encoder) == report.encoder.as_ref()
                    })
            })
        };
        let (mut past, mut done) = (Past::default(), Waiting::default());
        for report in reports.iter().filter(is_alike) {
            past.add(report.input_size, report.total_seconds);
            done.add(report.input_size);
        }
        let mut work = Outlook::default();
        work.past(past);
        for run in running {
            if let RunState::Running { since, .. } = run.state {
                let seconds = now.duration_since(since).as_secs_f64();
                work.running(run.job.input.size, seconds, None);
            }
        }
        let size = done.bytes / done.jobs.max(1);
        work.waiting(Waiting {
            jobs: ahead.jobs,
            bytes: size.saturating_mul(ahead.jobs),
            largest: size,
        });
        work
    }

    /// Why the job is where it is; `ahead` counts the jobs before it, and `work` holds them.
    pub fn why(&self, ahead: QueueAhead, work: &Outlook, now: Timestamp) -> Why {
        let settled = self.record.run().and_then(|run| self.of_run(run, now));
        let opens = self
            .opens
            .filter(|(_, at)| settled.is_none() && *at > now)
            .map(|(lane, at)| Opening {
                queue: lane.queue.clone(),
                at: *at,
            });
        Why {
            cause: settled.unwrap_or_else(|| self.of_waiting(ahead, work)),
            opens,
        }
    }

    /// What its run says; `None` where it waits for somebody to take it.
    fn of_run(&self, run: &Run, now: Timestamp) -> Option<Cause> {
        Some(match &run.state {
            RunState::Completed { report } => Cause::Completed {
                worker: report.worker.clone(),
                at: run.changed,
            },
            RunState::Failed { failure } => Cause::Failed {
                attempts: run.failures.len(),
                message: failure.message.clone(),
            },
            RunState::Cancelled => Cause::Cancelled { at: run.changed },
            RunState::Running {
                worker,
                stage,
                since,
            } => {
                let alive = self.workers.iter().find(|alive| alive.name == *worker);
                if let Some(alive) = alive {
                    Cause::Running {
                        away: alive.keeps_from(&run.job).cloned(),
                        worker: worker.clone(),
                        stage: *stage,
                        since: *since,
                    }
                } else {
                    Cause::Vanished {
                        worker: worker.clone(),
                    }
                }
            }
            RunState::Waiting { until, failure } if *until > now => Cause::Retry {
                until: *until,
                worker: run.failures.last().map(|attempt| attempt.worker.clone()),
                message: failure.message.clone(),
            },
            RunState::Waiting { .. } | RunState::Queued { .. } => return None,
        })
    }

    fn of_waiting(&self, ahead: QueueAhead, work: &Outlook) -> Cause {
        let job = self.record.job();
        let batch = Target::Batch(job.batch);
        if matches!(self.record, JobRecord::Parked(_)) || self.controls.is_paused(&batch) {
            return Cause::BatchPaused { batch: job.batch };
        }
        if self.open_queues().is_empty() {
            let queues = self.queues().into_iter().cloned().collect();
            return Cause::QueuePaused { queues };
        }
        let meant: Vec<&Heartbeat> = self
            .workers
            .iter()
            .filter(|worker| self.is_meant(worker))
            .collect();
        let judged: Vec<_> = meant
            .iter()
            .map(|worker| (*worker, self.judge(worker)))
            .collect();
        let takers: Vec<&Heartbeat> = judged
            .iter()
            .filter(|(_, judged)| judged.is_ok())
            .map(|(worker, _)| *worker)
            .collect();
        if !takers.is_empty() {
            return in_line(&takers, ahead, work);
        }
        let refusals = judged
            .into_iter()
            .filter_map(|(worker, judged)| Some((worker, judged.err()?)));
        match (self.queues().first(), nearest(refusals)) {
            (Some(Queue::On(worker)), None) => Cause::Offline {
                worker: worker.clone(),
            },
            (_, None) => Cause::NoWorker,
            (_, Some((Unfit::Resting { .. }, workers))) => Cause::Resting {
                resumable: self.resumable(&workers),
                workers,
            },
            (_, Some((Unfit::Away(_), workers))) => Cause::Away { workers },
            (_, Some((Unfit::Unable { .. }, workers))) => Cause::Unproved {
                workers,
                instead: alternatives(&job.recipe, self.workers),
            },
            (_, Some((_, workers))) => Cause::Unwilling { workers },
        }
    }
}

/// The workers that are nearest to taking the job, each with what keeps it from
/// that, and one of those reasons.
fn nearest<'a>(
    refusals: impl Iterator<Item = (&'a Heartbeat, Unfit)>,
) -> Option<(Unfit, Vec<Reason>)> {
    let refusals: Vec<_> = refusals.collect();
    let nearness = |(_, unfit): &&(&Heartbeat, Unfit)| unfit.nearness();
    let (_, first) = refusals.iter().max_by_key(nearness)?;
    let workers = refusals
        .iter()
        .filter(|(_, unfit)| unfit.nearness() == first.nearness())
        .map(|(worker, unfit)| Reason {
            worker: worker.name.clone(),
            reason: unfit.to_string(),
        });
    Some((first.clone(), workers.collect()))
}

fn in_line(takers: &[&Heartbeat], ahead: QueueAhead, work: &Outlook) -> Cause {
    let free: Vec<WorkerName> = takers
        .iter()
        .filter(|worker| worker.running.len() < worker.slots as usize)
        .map(|worker| worker.name.clone())
        .collect();
    if ahead.jobs == 0 && !free.is_empty() {
        return Cause::Next { workers: free };
    }
    let slots = takers
        .iter()
        .fold(0, |sum: u32, worker| sum.saturating_add(worker.slots));
    Cause::InLine {
        ahead,
        workers: takers.len(),
        is_busy: free.is_empty(),
        starts_in: work
            .seconds_until_free(slots)
            .filter(|seconds| *seconds > 0.0),
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)?;
        match &self.opens {
            Some(Opening { queue, at }) => {
                write!(f, "; the queue {queue} is opened to it at {at:.0}")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed { worker, at } => write!(f, "completed by {worker} at {at:.0}"),
            Self::Failed { attempts, message } => write!(
                f,
                "failed for good after {}: {}; `producer retry` has it tried again",
                count(*attempts as u64, "attempt"),
                printable(message)
            ),
            Self::Cancelled { at } => write!(
                f,
                "cancelled at {at:.0}; `producer retry` has it tried again"
            ),
            Self::Running {
                worker,
                stage,
                since,
                away,
            } => {
                write!(f, "running on {worker} since {since:.0}")?;
                // Other stages are not written down: live progress says them.
                if *stage == Stage::Publishing {
                    f.write_str(", about to publish its output")?;
                }
                match away {
                    Some(away) => write!(
                        f,
                        "; it resumes once {} {} since {:.0}: {}",
                        away.place,
                        if away.only_writing {
                            "takes outputs again, as it does not"
                        } else {
                            "is back, out of its reach"
                        },
                        away.since,
                        printable(&away.error)
                    ),
                    None => Ok(()),
                }
            }
            Self::Vanished { worker } => write!(
                f,
                "its worker {worker} gives no sign of life; another takes it once the lease has run out"
            ),
            Self::Retry {
                until,
                worker,
                message,
            } => {
                let on = worker.as_ref().map(|worker| format!(" on {worker}"));
                write!(
                    f,
                    "waiting until {until:.0} to be tried again, as it failed{}: {}",
                    on.unwrap_or_default(),
                    printable(message)
                )
            }
            Self::BatchPaused { batch } => write!(
                f,
                "its batch is paused: `producer resume --batch {batch}` ends that"
            ),
            Self::QueuePaused { queues } => match queues.as_slice() {
                [queue] => write!(
                    f,
                    "the queue {queue} is paused: `producer resume --queue {queue}` ends that"
                ),
                queues => write!(f, "its queues are paused: {}", listed(queues)),
            },
            Self::Offline { worker } => write!(
                f,
                "pinned to worker {worker}, which is not alive; `producer reassign --auto` frees it"
            ),
            Self::NoWorker => f.write_str("no worker is alive"),
            Self::Unproved { workers, instead } => {
                write!(f, "no live worker can run it ({})", reasons(workers))?;
                if instead.is_empty() {
                    return Ok(());
                }
                let instead: Vec<String> = instead
                    .iter()
                    .map(|other| format!("{} (on {})", other.encoder, listed(&other.workers)))
                    .collect();
                write!(f, "; proved instead: {}", instead.join(", "))
            }
            Self::Unwilling { workers } => write!(
                f,
                "no worker that could run it takes it ({})",
                reasons(workers)
            ),
            Self::Resting { workers, resumable } => {
                match workers.as_slice() {
                    [_] => f.write_str("the only worker that could run it takes no jobs")?,
                    _ => f.write_str("the workers that could run it take no jobs")?,
                }
                write!(f, " just now ({})", reasons(workers))?;
                match resumable.first() {
                    Some(worker) => write!(f, "; `producer resume {worker}` has it take them now"),
                    None => Ok(()),
                }
            }
            Self::Away { workers } => write!(
                f,
                "held, and resumes by itself once what it needs is back ({})",
                reasons(workers)
            ),
            Self::Next { workers } => write!(
                f,
                "nothing goes before it and {} has a free slot: it should start within seconds",
                named(workers)
            ),
            Self::InLine {
                ahead,
                workers,
                is_busy,
                starts_in,
            } => {
                if *is_busy {
                    match workers {
                        1 => f.write_str("the only worker for it is busy, and ")?,
                        workers => write!(f, "all {workers} workers for it are busy, and ")?,
                    }
                }
                let about = if ahead.is_exact { "" } else { "about " };
                match ahead.jobs {
                    0 => f.write_str("it is the next one")?,
                    1 => write!(f, "{about}1 job goes before it")?,
                    jobs => write!(f, "{about}{jobs} jobs go before it")?,
                }
                match starts_in.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
                {
                    Some(wait) => write!(f, "; it starts in about {:#}", rounded(wait)),
                    None => Ok(()),
                }
            }
        }
    }
}

/// To whole seconds below ten minutes, to whole minutes above: an estimate is
/// no better.
fn rounded(wait: SignedDuration) -> SignedDuration {
    let seconds = wait.as_secs().max(1);
    SignedDuration::from_secs(if seconds < 600 {
        seconds
    } else {
        seconds - seconds % 60
    })
}

fn count(number: u64, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn listed<T: fmt::Display>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(T::to_string).collect();
    names.join(", ")
}

fn named(workers: &[WorkerName]) -> String {
    match workers {
        [worker] => worker.to_string(),
        workers => format!("each of {} workers", workers.len()),
    }
}

fn reasons(workers: &[Reason]) -> String {
    let mut parts: Vec<String> = workers
        .iter()
        .take(NAMED)
        .map(|Reason { worker, reason }| format!("{worker}: {}", printable(reason)))
        .collect();
    if workers.len() > NAMED {
        parts.push(format!("and {} more", workers.len() - NAMED));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::orders::Order;
    use crate::job::Job;
    use crate::job::failure::Failure;
    use crate::job::record::Pending;
    use crate::names::location::Location;
    use crate::recipe::Choice;
    use crate::testing::{heartbeat, job, report};

    fn encoder(name: &str) -> crate::recipe::encoder::Encoder {
        name.parse().expect("an encoder")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn x265() -> Job {
        job(Choice::Encoder(encoder("libx265")), 1000)
    }

    fn pending(job: Job, queue: &str) -> JobRecord {
        JobRecord::Pending(Box::new(Pending {
            queue: queue.parse().expect("a queue"),
            job,
            priority: crate::farm::queue::Priority::default(),
            sequence: 7,
        }))
    }

    fn paused(target: Target) -> Controls {
        let order = Order {
            paused: true,
            hours: None,
            since: at(0),
        };
        [(target, order)].into_iter().collect()
    }

    fn ahead(jobs: u64) -> QueueAhead {
        QueueAhead {
            jobs,
            is_exact: true,
        }
    }

    struct Farm {
        record: JobRecord,
        workers: Vec<Heartbeat>,
        controls: Controls,
        opens: Option<(Lane, Timestamp)>,
        ahead: QueueAhead,
        running: Vec<Run>,
        reports: Vec<Report>,
    }

    impl Farm {
        fn of(record: JobRecord, workers: Vec<Heartbeat>) -> Self {
            Self {
                record,
                workers,
                controls: Controls::default(),
                opens: None,
                ahead: ahead(0),
                running: Vec::new(),
                reports: Vec::new(),
            }
        }

        fn why(&self) -> Why {
            let scene = WhyContext {
                record: &self.record,
                lanes: &[],
                opens: self.opens.as_ref(),
                workers: &self.workers,
                controls: &self.controls,
            };
            let work = scene.work(self.ahead, &self.running, &self.reports, at(100));
            scene.why(self.ahead, &work, at(100))
        }

        fn sentence(&self) -> String {
            self.why().to_string()
        }
    }

    fn waiting(workers: Vec<Heartbeat>) -> Farm {
        Farm::of(pending(x265(), "libx265"), workers)
    }

    #[test]
    fn pauses_come_first() {
        let mut farm = waiting(vec![heartbeat("w1", &["libx265"])]);
        let batch = farm.record.job().batch;
        farm.controls = paused(Target::Batch(batch));
        assert!(matches!(farm.why().cause, Cause::BatchPaused { .. }));
        farm.controls = paused(Target::Queue("libx265".parse().expect("a queue")));
        assert_eq!(
            farm.sentence(),
            "the queue libx265 is paused: `producer resume --queue libx265` ends that"
        );
        farm.controls = paused(Target::Queue("libx264".parse().expect("a queue")));
        assert!(matches!(farm.why().cause, Cause::Next { .. }));
    }

    #[test]
    fn a_pinned_job_waits_for_its_worker_only() {
        let workers = vec![heartbeat("w1", &["libx265"])];
        let farm = Farm::of(pending(x265(), "on_w2"), workers.clone());
        let offline = farm.sentence();
        assert!(offline.starts_with("pinned to worker w2, which is not alive"));
        let farm = Farm::of(pending(x265(), "on_w1"), workers);
        assert!(matches!(farm.why().cause, Cause::Next { .. }));
    }

    #[test]
    fn nobody_who_proved_it_is_told_with_what_was_proved_instead() {
        assert_eq!(waiting(Vec::new()).sentence(), "no worker is alive");
        let farm = waiting(vec![heartbeat("gpu", &["hevc_nvenc"])]);
        assert_eq!(
            farm.sentence(),
            "no live worker can run it (gpu: libx265 is not in its ffmpeg, or left out by its \
             --encoders); proved instead: hevc_nvenc (on gpu)"
        );
    }

    #[test]
    fn who_is_nearest_to_taking_it_is_named_and_nobody_else() {
        let mut parted = heartbeat("w1", &["libx265"]);
        parted.away = vec![crate::farm::worker::Away {
            place: Location::s3("media", "").expect("a bucket"),
            since: at(60),
            error: "403 Forbidden".to_owned(),
            only_writing: false,
        }];
        let farm = waiting(vec![parted]);
        assert_eq!(
            farm.sentence(),
            "held, and resumes by itself once what it needs is back \
             (w1: cannot reach s3://media/ since 1970-01-01T00:01:00Z: 403 Forbidden)"
        );
        let cannot = heartbeat("gpu", &["hevc_nvenc"]);
        let mut small = heartbeat("small", &["libx265"]);
        small.terms.max_size = Some(10);
        let farm = waiting(vec![cannot.clone(), small.clone()]);
        assert_eq!(
            farm.sentence(),
            "no worker that could run it takes it (small: takes no inputs above 10 bytes)"
        );
        let mut resting = heartbeat("night", &["libx265"]);
        resting.status = WorkerStatus::OffHours;
        resting.until = Some(at(3600));
        let farm = waiting(vec![cannot, small, resting]);
        assert_eq!(
            farm.sentence(),
            "the only worker that could run it takes no jobs just now \
             (night: off hours until 1970-01-01T01:00:00Z)"
        );
    }

    #[test]
    fn who_rests_is_told_with_what_ends_that() {
        let resting = |name: &str, status, until| {
            let mut worker = heartbeat(name, &["libx265"]);
            worker.status = status;
            worker.until = until;
            worker
        };
        let night = resting("night", WorkerStatus::OffHours, Some(at(3600)));
        let ill = resting("ill", WorkerStatus::Quarantined, Some(at(60)));
        let farm = waiting(vec![night, ill]);
        assert_eq!(
            farm.sentence(),
            "the workers that could run it take no jobs just now \
             (night: off hours until 1970-01-01T01:00:00Z; \
             ill: quarantined, and proves its encoders again at 1970-01-01T00:01:00Z); \
             `producer resume ill` has it take them now"
        );
        let trying = resting("ill", WorkerStatus::Quarantined, None);
        assert_eq!(
            waiting(vec![trying]).sentence(),
            "the only worker that could run it takes no jobs just now \
             (ill: quarantined, and is proving its encoders); \
             `producer resume ill` has it take them now"
        );
        // Who drains without an order is stopping.
        let mut farm = waiting(vec![resting("w1", WorkerStatus::Draining, None)]);
        assert!(farm.sentence().ends_with("(w1: draining)"));
        farm.controls = paused(Target::Worker("w1".parse().expect("a name")));
        assert!(farm.sentence().contains("`producer resume w1`"));
    }

    #[test]
    fn a_line_is_as_long_as_it_is_and_its_end_an_estimate() {
        let mut busy = heartbeat("w1", &["libx265"]);
        busy.running = vec![x265().id];
        let mut farm = waiting(vec![busy]);
        assert_eq!(
            farm.sentence(),
            "the only worker for it is busy, and it is the next one"
        );
        farm.ahead = ahead(2);
        // Of another encoder, it says nothing about this queue.
        farm.reports = vec![report("w1", "libx264", 1000, 1.0)];
        assert!(farm.sentence().ends_with("2 jobs go before it"));
        // A minute each, the one that runs half done.
        farm.reports.push(report("w1", "libx265", 1000, 60.0));
        let lane = Lane {
            queue: "libx265".parse().expect("a queue"),
            priority: crate::farm::queue::Priority::default(),
        };
        let worker = "w1".parse().expect("a name");
        farm.running = vec![Run::first(x265(), &lane, 1, worker, at(70))];
        assert_eq!(
            farm.sentence(),
            "the only worker for it is busy, and 2 jobs go before it; it starts in about 2m 30s"
        );
        farm.ahead.is_exact = false;
        assert!(farm.sentence().contains("about 2 jobs go before it"));
    }

    #[test]
    fn a_further_queue_is_told_until_it_opens() {
        let encoders = vec![encoder("hevc_nvenc"), encoder("libx265")].try_into();
        let choice = Choice::FirstOf(encoders.expect("one codec"));
        let cpu = heartbeat("cpu", &["libx265"]);
        let mut farm = Farm::of(pending(job(choice, 1), "hevc_nvenc"), vec![cpu]);
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        farm.opens = Some((lane.clone(), at(160)));
        let sentence = farm.sentence();
        assert!(sentence.starts_with("no live worker can run it (cpu: hevc_nvenc"));
        assert!(
            sentence.ends_with("the queue libx265 is opened to it at 1970-01-01T00:02:40Z"),
            "{sentence}"
        );
        let lanes = [Lane::from_consumer("hevc_nvenc_p5").expect("a lane"), lane];
        let scene = WhyContext {
            record: &farm.record,
            lanes: &lanes,
            opens: None,
            workers: &farm.workers,
            controls: &farm.controls,
        };
        let why = scene.why(farm.ahead, &Outlook::default(), at(200));
        assert!(matches!(why.cause, Cause::Next { .. }), "{why}");
    }

    #[test]
    fn a_run_tells_what_became_of_it() {
        let worker = heartbeat("w1", &["libx265"]);
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let run = Run::first(x265(), &lane, 1, worker.name.clone(), at(90));
        let sentence = |run: &Run, workers: &[Heartbeat]| {
            Farm::of(JobRecord::Run(Box::new(run.clone())), workers.to_vec()).sentence()
        };
        let alive = [worker];
        assert_eq!(
            sentence(&run, &alive),
            "running on w1 since 1970-01-01T00:01:30Z"
        );
        assert!(sentence(&run, &[]).contains("w1 gives no sign of life"));
        let failure = Failure::passing("the store gave no answer");
        let failed = run.fail(failure, SignedDuration::from_secs(20), at(95));
        assert_eq!(
            sentence(&failed, &alive),
            "waiting until 1970-01-01T00:01:55Z to be tried again, as it failed on w1: \
             the store gave no answer"
        );
        let mut dead = run.clone();
        dead.job.attempts = 1;
        let dead = dead.fail(Failure::worker("disk full"), SignedDuration::ZERO, at(95));
        assert!(sentence(&dead, &alive).starts_with("failed for good after 1 attempt: disk full"));
        let done = run.complete(report("w1", "libx265", 1000, 5.0), at(99));
        assert_eq!(
            sentence(&done, &alive),
            "completed by w1 at 1970-01-01T00:01:39Z"
        );
    }
}
