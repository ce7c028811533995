//! Finding the cause of a job's state, from the job and the workers that could run it.

use jiff::Timestamp;

use crate::farm::orders::{Orders, Target};
use crate::farm::queue::{Lane, Queue};
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::job::record::{JobRecord, QueueAhead};
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState};
use crate::matching::encoder::choose;
use crate::matching::fit;
use crate::matching::fit::DeclineReason;
use crate::matching::outlook::{Outlook, Past, Waiting};
use crate::matching::parts::SplitSum;
use crate::matching::plan::alternatives;
use crate::matching::why::cause::{Cause, Opening, Reason, Why};

/// What the cause is found from: the job, its lanes, and the farm around it.
#[derive(Clone, Copy, Debug)]
pub struct WhyContext<'a> {
    /// The job.
    pub record: &'a JobRecord,
    /// The lanes from which it may be claimed now.
    pub lanes: &'a [Lane],
    /// The lane that opens to it next, and when.
    pub opens: Option<&'a (Lane, Timestamp)>,
    /// The live workers.
    pub workers: &'a [Heartbeat],
    /// The orders that are in force.
    pub controls: &'a Orders,
    /// The parts of the job, if it is split.
    pub parts: Option<&'a SplitSum>,
}

impl WhyContext<'_> {
    /// The queues from which it may be claimed now.
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

    /// Whether a worker takes the job from any of its open queues.
    fn judge(&self, worker: &Heartbeat) -> Result<(), DeclineReason> {
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

    /// The workers among these that take jobs at once if a person resumes them.
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

    /// Whether the job is not pinned, or is pinned to this worker.
    fn is_meant(&self, worker: &Heartbeat) -> bool {
        self.queues().into_iter().any(|queue| match queue {
            Queue::On(name) => *name == worker.name,
            _ => true,
        })
    }

    /// A test for queues whose jobs compete with this job for its workers.
    pub fn contenders(&self) -> impl Fn(&Queue) -> bool {
        let takers = self.takers();
        move |queue| {
            !self.controls.is_paused(&Target::Queue(queue.clone()))
                && takers.iter().any(|worker| worker.serves(queue))
        }
    }

    /// The work before the job: the running jobs of its workers, and the jobs that come before it. Of the latter each
    /// is assumed to have the mean size of recently completed ones, and to be as fast.
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
                            encode.and_then(|encode| choose(&worker.card, encode, queue).ok());
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
                work.running(run.job.bytes(), seconds, None);
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

    /// Why the job is in its state; `ahead` counts the jobs before it, and `work` estimates their times.
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

    /// The cause that the run tells; `None` if the job waits to be claimed.
    fn of_run(&self, run: &Run, now: Timestamp) -> Option<Cause> {
        Some(match &run.state {
            RunState::Completed { report } => Cause::Completed {
                worker: report.worker.clone(),
                at: run.changed,
            },
            RunState::Kept { report } => Cause::Kept {
                worker: report.worker.clone(),
                at: run.changed,
                reason: report.sentence(),
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
            RunState::Split { since, parts } => self.of_parts(*parts, *since),
            RunState::Waiting { until, failure } if *until > now => Cause::Retry {
                until: *until,
                worker: run.failures.last().map(|attempt| attempt.worker.clone()),
                message: failure.message.clone(),
            },
            RunState::Waiting { .. } | RunState::Queued { .. } => return None,
        })
    }

    fn of_parts(&self, count: u32, since: Timestamp) -> Cause {
        let sum = self.parts.cloned().unwrap_or_else(|| SplitSum {
            parts: count,
            ..SplitSum::default()
        });
        let none = QueueAhead {
            jobs: 0,
            is_exact: true,
        };
        let held = (sum.waiting > 0).then(|| self.of_waiting(none, &Outlook::default()));
        let is_held = |cause: &Cause| !matches!(cause, Cause::Next { .. } | Cause::InLine { .. });
        Cause::Split {
            parts: sum.parts,
            done: sum.done,
            running: sum.running,
            waiting: sum.parts.saturating_sub(sum.done + sum.running),
            since,
            held: held.filter(is_held).map(Box::new),
        }
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
            (_, Some((DeclineReason::Resting { .. }, workers))) => Cause::Resting {
                resumable: self.resumable(&workers),
                workers,
            },
            (_, Some((DeclineReason::Away(_), workers))) => Cause::Away { workers },
            (_, Some((DeclineReason::Unable { .. }, workers))) => Cause::Unproved {
                workers,
                instead: alternatives(&job.recipe, self.workers),
            },
            (_, Some((_, workers))) => Cause::Unwilling { workers },
        }
    }
}

/// The workers that are nearest to taking the job, each with its reason, and one of these reasons.
fn nearest<'a>(
    refusals: impl Iterator<Item = (&'a Heartbeat, DeclineReason)>,
) -> Option<(DeclineReason, Vec<Reason>)> {
    let refusals: Vec<_> = refusals.collect();
    let nearness = |(_, unfit): &&(&Heartbeat, DeclineReason)| unfit.nearness();
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
