//! What an autoscaler does next: a function from its record and what it sees to a new record and steps. It starts
//! workers, and takes idle ones of its own away by draining them. It never touches a running job.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::farm::orders::{Orders, Target};
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::matching::scale::autoscaler::{Autoscaler, Decision, Started};
use crate::matching::scale::{Scale, Untaken};

/// A minute, for which starts and drains are counted.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// A worker whose heartbeat is missing for so long has ended.
const LOST: SignedDuration = SignedDuration::from_mins(10);
/// A drained worker that is still there is told again to stop after this time.
const STOP_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// What an autoscaler sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The numbers of its class.
    pub scale: Scale,
    /// All live workers.
    pub workers: &'a [Heartbeat],
    /// Whether a worker that is not among them is gone: see [`crate::broker::LiveWorkers`].
    pub is_complete: bool,
    /// The orders that are in force.
    pub orders: &'a Orders,
    /// The time by the broker's clock.
    pub now: Timestamp,
}

/// One step of an autoscaler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Start a worker of this name.
    Start(WorkerName),
    /// Take the drain of this worker back.
    Resume(WorkerName),
    /// Have this worker take no more jobs.
    Drain(WorkerName),
    /// End this worker: it is drained, or it has never appeared.
    Stop(WorkerName),
    /// Take the drain of a worker back that has left.
    Lift(WorkerName),
}

impl Step {
    /// What is done, and with which worker.
    fn parts(&self) -> (&'static str, &WorkerName) {
        match self {
            Self::Start(worker) => ("start", worker),
            Self::Resume(worker) => ("resume", worker),
            Self::Drain(worker) => ("drain", worker),
            Self::Stop(worker) => ("stop", worker),
            Self::Lift(worker) => ("forget", worker),
        }
    }
}

/// The workers of an autoscaler by what can be done with them.
#[derive(Default)]
struct Sorted {
    /// They were started and have not appeared yet.
    starting: u32,
    /// They take jobs.
    ready: u32,
    /// Those of them that run nothing, and since when.
    idle: Vec<(Timestamp, WorkerName)>,
    /// The autoscaler drains them.
    draining: Vec<(Timestamp, WorkerName)>,
    /// They take no jobs for other reasons.
    resting: u32,
}

impl Sorted {
    /// Workers that exist, as far as is known.
    fn all(&self) -> u32 {
        self.starting + self.ready + self.resting + count(self.draining.len())
    }
}

impl Autoscaler {
    /// What to do now: the record as it must be stored before the steps are taken, and the steps. `name` makes names for
    /// new workers.
    pub fn decide(
        &self,
        seen: &Seen<'_>,
        name: &mut dyn FnMut() -> WorkerName,
    ) -> (Self, Vec<Step>) {
        let now = seen.now;
        let mut next = self.clone();
        next.scale = Some(seen.scale);
        if !seen.is_complete {
            next.note(Decision {
                at: now,
                action: "wait".to_owned(),
                reason: "the broker has just started, and has not heard of all workers yet"
                    .to_owned(),
            });
            return (next, Vec::new());
        }
        next.ups.retain(|at| now.duration_since(*at) < MINUTE);
        next.downs.retain(|at| now.duration_since(*at) < MINUTE);
        next.learn(self.scale, seen);
        let mut steps = Vec::new();
        let sorted = next.sort(seen, &mut steps);
        let wanted = next.more(&sorted, seen);
        let reason = if wanted > 0 {
            next.grow(&sorted, wanted, seen, name, &mut steps)
        } else {
            next.shrink(&sorted, seen, &mut steps)
        };
        next.stop(&sorted, seen, &mut steps);
        let aftermath = steps.first().map(|step| match step {
            Step::Lift(_) => "they have ended".to_owned(),
            _ if sorted.draining.is_empty() => "they did not appear".to_owned(),
            _ => "they have drained".to_owned(),
        });
        if let Some(reason) = reason.or(aftermath) {
            next.note(Decision {
                at: now,
                action: told(&steps),
                reason,
            });
        }
        (next, steps)
    }

    /// Learns which jobs its workers leave lying, and notes it.
    fn learn(&mut self, before: Option<Scale>, seen: &Seen<'_>) {
        let now = seen.now;
        if !self.untaken.learn(before, seen.scale, now) {
            return;
        }
        let Untaken { jobs, retry_at, .. } = self.untaken;
        let retry_at = retry_at.unwrap_or(now);
        self.note(Decision {
            at: now,
            action: format!("start one worker to try at {retry_at:.0}"),
            reason: format!(
                "{jobs} waiting jobs are taken by none of the idle workers (`producer why JOB` tells the reason)"
            ),
        });
    }

    /// Sorts the workers by what is seen of them, and notes it.
    fn sort(&mut self, seen: &Seen<'_>, steps: &mut Vec<Step>) -> Sorted {
        let now = seen.now;
        let alive: BTreeMap<&WorkerName, &Heartbeat> = seen
            .workers
            .iter()
            .map(|worker| (&worker.name, worker))
            .collect();
        let mut sorted = Sorted::default();
        let mut failed = Vec::new();
        let mut left = BTreeSet::new();
        for (name, worker) in &mut self.workers {
            let is_ordered = seen.orders.is_paused(&Target::Worker(name.clone()));
            let Some(heartbeat) = alive.get(name) else {
                if !worker.is_seen {
                    if now.duration_since(worker.at) >= seconds(self.rules.start_within) {
                        failed.push(name.clone());
                    } else {
                        sorted.starting += 1;
                    }
                    continue;
                }
                worker.idle_since = None;
                let lost = *worker.lost.get_or_insert(now);
                // One that was not told to end may be cut off, and come back.
                if worker.stopped.is_none() && now.duration_since(lost) < LOST {
                    continue;
                }
                if worker.drained.is_some() && is_ordered {
                    steps.push(Step::Lift(name.clone()));
                } else {
                    left.insert(name.clone());
                }
                continue;
            };
            if !std::mem::replace(&mut worker.is_seen, true) {
                self.failures = 0;
                self.retry_at = None;
            }
            worker.lost = None;
            let is_idle = heartbeat.running.is_empty();
            worker.idle_since = worker
                .idle_since
                .filter(|_| is_idle)
                .or_else(|| is_idle.then_some(now));
            if !is_ordered {
                // It was not drained after all, or a person has taken the drain back.
                worker.drained = None;
                worker.stopped = None;
            }
            if let Some(drained) = worker.drained {
                sorted.draining.push((drained, name.clone()));
            } else if is_ordered || heartbeat.status != WorkerStatus::Ready {
                worker.idle_since = None;
                sorted.resting += 1;
            } else {
                sorted.ready += 1;
                sorted
                    .idle
                    .extend(worker.idle_since.map(|since| (since, name.clone())));
            }
        }
        self.workers.retain(|name, _| !left.contains(name));
        for name in failed {
            let within = self.rules.start_within;
            self.start_failed(&name, &format!("it did not appear within {within} s"), now);
            steps.push(Step::Stop(name));
        }
        sorted
    }

    /// Waiting jobs that a new worker could start and will take, as far as is known.
    fn startable(&self, seen: &Seen<'_>) -> u64 {
        seen.scale.startable.saturating_sub(self.doubted(seen))
    }

    /// Waiting jobs for which no worker is needed.
    fn doubted(&self, seen: &Seen<'_>) -> u64 {
        let jobs = u64::from(self.rules.jobs_per_worker.get());
        self.untaken.doubted(jobs, seen.now)
    }

    /// How many more workers are needed, whatever limits there are.
    fn more(&self, sorted: &Sorted, seen: &Seen<'_>) -> u32 {
        let jobs = u64::from(self.rules.jobs_per_worker.get());
        let for_jobs = u32::try_from(self.startable(seen).div_ceil(jobs)).unwrap_or(u32::MAX);
        let for_jobs = for_jobs.saturating_sub(sorted.starting);
        let for_min = self
            .rules
            .min
            .saturating_sub(sorted.ready + sorted.starting);
        for_jobs.max(for_min)
    }

    /// Resumes workers that are being drained, and starts others, as far as the rules allow. Returns the reason.
    fn grow(
        &mut self,
        sorted: &Sorted,
        wanted: u32,
        seen: &Seen<'_>,
        name: &mut dyn FnMut() -> WorkerName,
        steps: &mut Vec<Step>,
    ) -> Option<String> {
        let now = seen.now;
        let mut left = wanted;
        // Those that were drained last, and were not told to end.
        let mut draining = sorted.draining.clone();
        draining.sort_unstable();
        for (_, name) in draining.into_iter().rev() {
            let worker = self.workers.get_mut(&name);
            if let Some(worker) = worker.filter(|worker| left > 0 && worker.stopped.is_none()) {
                worker.drained = None;
                worker.idle_since = None;
                left -= 1;
                steps.push(Step::Resume(name));
            }
        }
        let max = self.rules.max.max(self.rules.min);
        let room = max.saturating_sub(sorted.all());
        let quota = self
            .rules
            .up_per_minute
            .saturating_sub(count(self.ups.len()));
        let is_waiting = self.retry_at.is_some_and(|at| at > now);
        let starts = if is_waiting {
            0
        } else {
            left.min(room).min(quota)
        };
        for _ in 0..starts {
            let name = name();
            self.workers.insert(name.clone(), Started::new(now));
            self.ups.push(now);
            steps.push(Step::Start(name));
        }
        let need = match self.startable(seen) {
            0 => format!("at least {} workers are kept", self.rules.min),
            1 => "1 job could start on a new worker".to_owned(),
            jobs => format!("{jobs} jobs could start on new workers"),
        };
        let limit = match self.retry_at.filter(|at| *at > now) {
            _ if starts >= left => None,
            Some(at) => Some(format!(
                "after failed starts ({}) the next is at {at:.0}",
                self.failures
            )),
            None if room <= quota => Some(format!("no more than {max} workers may run")),
            None => Some(format!(
                "no more than {} are started a minute",
                self.rules.up_per_minute
            )),
        };
        Some(match limit {
            Some(limit) => format!("{need}, but {limit}"),
            None => need,
        })
    }

    /// Drains idle workers that are not needed, as far as the rules allow. Returns the reason.
    fn shrink(
        &mut self,
        sorted: &Sorted,
        seen: &Seen<'_>,
        steps: &mut Vec<Step>,
    ) -> Option<String> {
        let now = seen.now;
        let jobs = u64::from(self.rules.jobs_per_worker.get());
        let taken = seen.scale.waiting().saturating_sub(self.doubted(seen));
        let needed = seen.scale.covered.min(taken).div_ceil(jobs);
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        let spare = count(sorted.idle.len()).saturating_sub(needed);
        let over_min = (sorted.ready + sorted.starting).saturating_sub(self.rules.min);
        let quota = self
            .rules
            .down_per_minute
            .saturating_sub(count(self.downs.len()));
        let most = spare.min(over_min).min(sorted.ready).min(quota);
        let cool_down = seconds(self.rules.cool_down);
        let mut idle = sorted.idle.clone();
        idle.sort_unstable();
        let cold = idle
            .into_iter()
            .filter(|(since, _)| now.duration_since(*since) >= cool_down);
        let mut drained = 0;
        for (_, name) in cold.take(most as usize) {
            if let Some(worker) = self.workers.get_mut(&name) {
                worker.drained = Some(now);
                self.downs.push(now);
                drained += 1;
                steps.push(Step::Drain(name));
            }
        }
        (drained > 0).then(|| {
            format!(
                "no job needs them, and they have run nothing for {} s",
                self.rules.cool_down
            )
        })
    }

    /// Ends the workers that have drained.
    fn stop(&mut self, sorted: &Sorted, seen: &Seen<'_>, steps: &mut Vec<Step>) {
        for (_, name) in &sorted.draining {
            let has_drained = seen.workers.iter().any(|worker| {
                worker.name == *name
                    && worker.status == WorkerStatus::Drained
                    && worker.running.is_empty()
            });
            let Some(worker) = self.workers.get_mut(name) else {
                continue;
            };
            let is_told = worker
                .stopped
                .is_some_and(|at| seen.now.duration_since(at) < STOP_AGAIN);
            // One that was just resumed is not drained any more.
            if has_drained && worker.drained.is_some() && !is_told {
                worker.stopped = Some(seen.now);
                steps.push(Step::Stop(name.clone()));
            }
        }
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// The steps in one line: `start cpu-1f, cpu-2a; stop cpu-77`.
fn told(steps: &[Step]) -> String {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in steps {
        let (verb, worker) = step.parts();
        names.entry(verb).or_default().push(worker.as_str());
    }
    if names.is_empty() {
        return "wait".to_owned();
    }
    let parts = names
        .iter()
        .map(|(verb, names)| format!("{verb} {}", names.join(", ")));
    parts.collect::<Vec<String>>().join("; ")
}
