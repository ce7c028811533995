//! Runs: running jobs, jobs that wait for a retry, and the latest jobs that ended. Bounded, however
//! many jobs the farm has seen.

use std::collections::{BTreeMap, HashMap};

use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::failure::cause;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::run::health::Health;
use common::job::run::report::Report;
use common::job::run::{Run, RunState, Stage};
use common::matching::outlook;
use common::matching::outlook::{Outlook, Past};
use common::matching::parts::{PartRow, Parts};
use jiff::{SignedDuration, Timestamp};

use crate::snapshot::Totals;
use crate::snapshot::jobs::{EndedRow, JobEnd, RetryRow, RunningRow, SplitRow, name};
use crate::snapshot::moment::Moment;
use crate::view::splits::Splits;

/// The most ended jobs that are kept.
const ENDED: usize = outlook::LATELY;
/// The most jobs waiting for a retry that are kept.
const RETRYING: usize = 1000;
/// A progress message older than this is stale.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// Parts of a split job that wait for a worker.
#[derive(Clone, Copy)]
pub(super) struct WaitingParts<'a> {
    /// The whole job, in the lane of its parts.
    pub run: &'a Run,
    pub parts: u64,
    pub since: Timestamp,
}

/// The runs that the page shows.
#[derive(Default)]
pub(super) struct Runs {
    /// Running and split jobs.
    running: BTreeMap<JobId, Run>,
    splits: Splits,
    retrying: BTreeMap<JobId, RetryRow>,
    /// Ended jobs by the sequence of their last change.
    ended: BTreeMap<u64, EndedRow>,
    ended_at: HashMap<JobId, u64>,
    progress: HashMap<JobId, (Timestamp, Progress)>,
    /// Whether more jobs have ended than are kept.
    forgot: bool,
}

impl Runs {
    /// No runs yet. `late`: earlier runs will not be read.
    pub(super) fn new(late: bool) -> Self {
        Self {
            forgot: late,
            ..Self::default()
        }
    }

    /// Takes the change of a run; `None` if the run was deleted.
    pub(super) fn changed(&mut self, job: JobId, run: Option<Run>, sequence: u64) {
        if !job.is_whole() {
            if !self.ended_at.contains_key(&job.whole()) {
                self.splits.changed(&job, run.as_ref());
            }
            return;
        }
        self.running.remove(&job);
        self.retrying.remove(&job);
        if let Some(before) = self.ended_at.remove(&job) {
            self.ended.remove(&before);
        }
        let Some(run) = run else {
            self.progress.remove(&job);
            self.splits.remove(&job);
            return;
        };
        match &run.state {
            RunState::Running { .. } | RunState::Split { .. } => {
                self.under_way(run);
                return;
            }
            RunState::Queued { .. } => {}
            RunState::Waiting { until, failure } => {
                if self.retrying.len() < RETRYING {
                    let row = RetryRow {
                        job: name(&run.job),
                        queue: run.queue.clone(),
                        until: Moment(*until),
                        attempts: run.spent(),
                        reason: cause(&failure.message).to_owned(),
                    };
                    self.retrying.insert(job, row);
                }
            }
            RunState::Completed { .. }
            | RunState::Kept { .. }
            | RunState::Failed { .. }
            | RunState::Cancelled => {
                self.splits.remove(&job);
                if let Some(row) = ended(&run) {
                    self.ended.insert(sequence, row);
                    self.ended_at.insert(job, sequence);
                }
                while self.ended.len() > ENDED {
                    if let Some((_, oldest)) = self.ended.pop_first() {
                        self.ended_at.remove(&oldest.job.id);
                        self.forgot = true;
                    }
                }
            }
        }
        self.progress.remove(&job);
    }

    /// Takes a run that began before the changes that were read.
    pub(super) fn found(&mut self, run: Run) {
        let id = run.job.id;
        if self.knows(&id) {
            return;
        }
        match run.state {
            RunState::Running { .. } if !id.is_whole() => self.splits.changed(&id, Some(&run)),
            RunState::Running { .. } | RunState::Split { .. } => self.under_way(run),
            _ => {}
        }
    }

    /// Takes the run of a job that one worker runs, or several.
    fn under_way(&mut self, run: Run) {
        if let RunState::Split { since, parts } = run.state {
            self.splits.split(&run.job.id, since, parts);
            self.progress.remove(&run.job.id);
        }
        self.running.insert(run.job.id, run);
    }

    /// Takes what the broker knows of the parts of a job.
    pub(super) fn planned(&mut self, job: &JobId, parts: Parts) {
        if self.running.contains_key(job) {
            self.splits.learn(job, parts);
        }
    }

    /// Split jobs whose plan is not known.
    pub(super) fn unplanned(&self) -> Vec<JobId> {
        let is_unplanned = |job: &&JobId| {
            let parts = self.splits.of(job);
            parts.is_some_and(|parts| !parts.is_planned()) && !self.splits.is_full()
        };
        self.running.keys().filter(is_unplanned).copied().collect()
    }

    /// The parts of every split job.
    pub(super) fn parts(&self) -> HashMap<JobId, Vec<PartRow>> {
        self.splits.rows()
    }

    /// Whether the job has a known run.
    pub(super) fn knows(&self, job: &JobId) -> bool {
        if !job.is_whole() {
            return self.splits.knows(job) || self.splits.is_full();
        }
        self.running.contains_key(job)
            || self.retrying.contains_key(job)
            || self.ended_at.contains_key(job)
    }

    /// Takes a progress message. It may arrive before its run.
    pub(super) fn progressed(&mut self, progress: Progress, now: Timestamp) {
        if !progress.job.is_whole() {
            self.splits.progressed(progress);
        } else if !self.ended_at.contains_key(&progress.job) {
            self.progress.insert(progress.job, (now, progress));
        }
    }

    /// Forgets progress without a run.
    pub(super) fn forget(&mut self, now: Timestamp) {
        self.progress.retain(|job, (at, _)| {
            self.running.contains_key(job) && now.duration_since(*at) < FRESH
        });
        self.splits.retain(|job| self.running.contains_key(job));
    }

    /// The running jobs of each queue.
    pub(super) fn outlooks(&self, clock: Timestamp) -> HashMap<&Queue, Outlook> {
        let mut outlooks: HashMap<&Queue, Outlook> = HashMap::new();
        for row in self.running.values() {
            let progress = self.progress_of(row);
            let (since, at, left) = match row.state {
                RunState::Running { since, .. } => {
                    let at = progress.map_or(clock, |progress| progress.at);
                    let left = progress.and_then(|progress| progress.seconds_left(since));
                    (since, at, left)
                }
                RunState::Split { since, .. } => {
                    let parts = self.splits.of(&row.job.id);
                    let left = parts.and_then(|parts| parts.seconds_left(clock));
                    (since, clock, left)
                }
                _ => continue,
            };
            let seconds = at.duration_since(since).as_secs_f64();
            let outlook = outlooks.entry(&row.queue).or_default();
            outlook.running(row.job.bytes(), seconds, left);
        }
        outlooks
    }

    /// The split jobs that have parts for which no worker was found yet.
    pub(super) fn waiting_parts(&self) -> impl Iterator<Item = WaitingParts<'_>> {
        self.running.values().filter_map(|run| {
            let RunState::Split { since, .. } = run.state else {
                return None;
            };
            let waiting = self.splits.of(&run.job.id)?.sum().waiting;
            (waiting > 0).then_some(WaitingParts {
                run,
                parts: u64::from(waiting),
                since,
            })
        })
    }

    /// The progress of a run. A worker that lost the job may still send: only the current attempt
    /// of the owner counts.
    fn progress_of(&self, run: &Run) -> Option<&Progress> {
        let (_, progress) = self.progress.get(&run.job.id)?;
        (progress.attempt == run.attempt).then_some(progress)
    }

    /// How long the kept completed jobs of each queue took.
    pub(super) fn past_by_queue(&self) -> HashMap<&Queue, Past> {
        let mut past: HashMap<&Queue, Past> = HashMap::new();
        for row in self.ended.values() {
            if let JobEnd::Completed {
                seconds,
                input_size,
                ..
            }
            | JobEnd::Checked {
                seconds,
                input_size,
                ..
            } = row.end
            {
                past.entry(&row.queue).or_default().add(input_size, seconds);
            }
        }
        past
    }

    /// Running jobs of a worker. A job of which it runs parts counts once.
    pub(super) fn running_on(&self, worker: &WorkerName) -> usize {
        let is_owner = |run: &&Run| match &run.state {
            RunState::Running { worker: owner, .. } => owner == worker,
            _ => false,
        };
        let whole = self.running.values().filter(is_owner).count();
        whole + self.splits.run_on(worker).count()
    }

    /// Rows of running jobs, the longest running first.
    pub(super) fn running(
        &self,
        is_lost: impl Fn(&WorkerName) -> bool,
        clock: Timestamp,
    ) -> Vec<RunningRow> {
        let row = |run: &Run| {
            let parts = self.splits.of(&run.job.id);
            match (&run.state, parts) {
                (RunState::Split { since, .. }, Some(parts)) => {
                    Some(split(run, *since, parts, &is_lost, clock))
                }
                _ => running(run, self.progress_of(run), parts, &is_lost),
            }
        };
        let mut rows: Vec<RunningRow> = self.running.values().filter_map(row).collect();
        rows.sort_by_key(|row| (row.since, row.job.id));
        rows
    }

    /// Rows of jobs that wait for a retry, the next one first.
    pub(super) fn retrying(&self, most: usize) -> Vec<RetryRow> {
        let mut rows: Vec<RetryRow> = self.retrying.values().cloned().collect();
        rows.sort_by_key(|row| (row.until, row.job.id));
        rows.truncate(most);
        rows
    }

    /// Rows of ended jobs, the latest first.
    pub(super) fn ended(&self) -> impl Iterator<Item = &EndedRow> {
        self.ended.values().rev()
    }

    /// Adds the ended jobs to the sums.
    pub(super) fn count(&self, totals: &mut Totals) {
        totals.running = self.running.len();
        for row in self.ended.values() {
            match row.end {
                JobEnd::Completed {
                    input_size,
                    output_size,
                    ..
                } => {
                    totals.completed += 1;
                    totals.input_bytes = totals.input_bytes.saturating_add(input_size);
                    totals.output_bytes = totals.output_bytes.saturating_add(output_size);
                }
                JobEnd::Checked { .. } => {
                    totals.completed += 1;
                    totals.checked += 1;
                }
                JobEnd::Kept { .. } => totals.kept += 1,
                JobEnd::Failed { .. } => totals.failed += 1,
                JobEnd::Cancelled => totals.cancelled += 1,
            }
        }
        if self.forgot {
            totals.since = self.ended.values().next().map(|row| row.ended);
        }
    }
}

fn running(
    run: &Run,
    progress: Option<&Progress>,
    parts: Option<&Parts>,
    is_lost: impl Fn(&WorkerName) -> bool,
) -> Option<RunningRow> {
    let RunState::Running {
        worker,
        since,
        stage,
    } = &run.state
    else {
        return None;
    };
    let encode = progress.and_then(|progress| progress.encode);
    Some(RunningRow {
        job: name(&run.job),
        batch: run.job.batch,
        queue: run.queue.clone(),
        priority: run.priority,
        worker: Some(worker.clone()),
        worker_lost: is_lost(worker),
        since: Moment(*since),
        attempt: run.tries(),
        stage: progress.map_or(*stage, |progress| progress.stage),
        fraction: progress.and_then(|progress| progress.fraction).map(rounded),
        eta: progress
            .and_then(|progress| progress.seconds_left(*since))
            .map(f64::round),
        fps: encode.map(|encode| encode.fps),
        speed: encode.map(|encode| encode.speed),
        bitrate: encode.map(|encode| encode.bitrate),
        input_size: run.job.bytes(),
        output_size: encode.map(|encode| encode.size),
        // While it is planned, there is none; while its parts are joined, all are done.
        split: parts.filter(|parts| parts.is_planned()).map(SplitRow::of),
    })
}

/// The row of a job that is done in parts.
fn split(
    run: &Run,
    since: Timestamp,
    parts: &Parts,
    is_lost: impl Fn(&WorkerName) -> bool,
    clock: Timestamp,
) -> RunningRow {
    let sum = parts.sum();
    let is_encoding = sum.fps > 0.0;
    RunningRow {
        job: name(&run.job),
        batch: run.job.batch,
        queue: run.queue.clone(),
        priority: run.priority,
        worker: None,
        worker_lost: sum.workers.iter().any(is_lost),
        since: Moment(since),
        attempt: run.tries(),
        stage: Stage::Encoding,
        fraction: Some(rounded(sum.fraction as f32)),
        eta: parts.seconds_left(clock).map(f64::round),
        fps: is_encoding.then_some(sum.fps),
        speed: is_encoding.then_some(sum.speed),
        bitrate: None,
        input_size: run.job.bytes(),
        output_size: (sum.size > 0).then_some(sum.size),
        split: Some(SplitRow::of(parts)),
    }
}

/// A share that changes in steps that can be seen.
fn rounded(fraction: f32) -> f32 {
    (fraction.clamp(0.0, 1.0) * 1e4).round() / 1e4
}

fn ended(run: &Run) -> Option<EndedRow> {
    let end = match &run.state {
        RunState::Completed { report } if !run.job.kind.writes() => JobEnd::Checked {
            input_size: report.input_size,
            seconds: report.total_seconds,
            damaged: report.health.as_ref().is_some_and(Health::is_damaged),
        },
        RunState::Completed { report } => {
            let mut news = report.news();
            JobEnd::Completed {
                encoder: report.encoder.clone(),
                input_size: report.input_size,
                output_size: report.output_size,
                fps: report.fps(),
                seconds: report.total_seconds,
                workers: report.workers().len(),
                further_news: news.len().saturating_sub(1),
                news: (!news.is_empty()).then(|| news.swap_remove(0)),
            }
        }
        RunState::Kept { report } => JobEnd::Kept {
            input_size: report.input_size,
            reason: report.sentence(),
        },
        RunState::Failed { failure } => JobEnd::Failed {
            fault: failure.fault,
            reason: cause(&failure.message).to_owned(),
        },
        RunState::Cancelled => JobEnd::Cancelled,
        RunState::Running { .. }
        | RunState::Split { .. }
        | RunState::Queued { .. }
        | RunState::Waiting { .. } => return None,
    };
    Some(EndedRow {
        job: name(&run.job),
        queue: run.queue.clone(),
        ended: Moment(run.changed),
        worker: match run.report().map(Report::workers) {
            Some(workers) if workers.len() > 1 => None,
            _ => run.worker().cloned(),
        },
        attempts: run.tries(),
        end,
    })
}
