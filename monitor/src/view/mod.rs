//! The live state of the farm, folded from the broker's messages. Pure: no I/O and no clock of its
//! own, so that every rule is tested by itself.

mod attention;
pub mod board;
mod queues;
mod runs;
mod splits;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use common::broker::{Change, LaneStatus, Unreadable};
use common::farm::orders::{Orders, Target};
use common::farm::queue::Queue;
use common::farm::worker::Heartbeat;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::record::Pending;
use common::job::run::Run;
use common::matching::outlook::Waiting;
use common::matching::parts::{PartRow, Parts};
use jiff::{SignedDuration, Timestamp};

use crate::index::shared::Progress as Listing;
use crate::snapshot::attention::Attention;
use crate::snapshot::jobs::{JobEnd, NextRow};
use crate::snapshot::moment::Moment;
use crate::snapshot::workers::Cards;
use crate::snapshot::{Broker, ControlRow, Snapshot, Totals};
use queues::Queues;
use runs::Runs;
use workers::Workers;

/// The most pending jobs that are shown.
pub const NEXT: usize = 200;
/// The most jobs waiting for a retry that are shown.
const RETRYING: usize = 100;
/// The most ended jobs that are shown.
const RECENT: usize = 100;
/// How long a failed job needs attention.
const FAILED_LATELY: SignedDuration = SignedDuration::from_hours(24);

/// News from the broker.
#[derive(Debug)]
pub enum Input {
    /// The broker answers.
    Connected,
    /// The broker does not answer, for this reason.
    Away(String),
    /// The changes of runs are read anew.
    RunsAnew {
        /// Whether earlier runs are left out.
        late: bool,
    },
    /// A run has changed.
    Run(Box<Change<JobId, Run>>),
    /// A run that began before the changes that were read.
    Found(Box<Run>),
    /// What the broker knows of the parts of a split job.
    Parts(JobId, Box<Parts>),
    /// A worker's heartbeat, or its removal.
    Worker(Box<Change<WorkerName, Heartbeat>>),
    /// All lanes, and the jobs at their heads.
    Lanes(Vec<LaneStatus>, Vec<Pending>),
    /// The same from the index of all jobs: the next jobs are in order, and the pending jobs of
    /// each queue are summed up.
    Waiting(Vec<LaneStatus>, Vec<NextRow>, HashMap<Queue, Waiting>),
    /// The progress of a job.
    Progress(Box<Progress>),
    /// The orders that are in force.
    Controls(Orders),
    /// How much of all jobs is in the index.
    Listing(Listing),
    /// Things on the broker that cannot be read.
    Unreadable(Vec<Unreadable>),
}

/// The live state of the farm.
pub struct View {
    broker: Broker,
    queues: Queues,
    workers: Workers,
    runs: Runs,
    controls: Orders,
    listing: Listing,
    unreadable: Vec<Unreadable>,
}

impl View {
    /// An empty state.
    pub fn new(now: Timestamp) -> Self {
        Self {
            broker: Broker {
                connected: true,
                since: Moment(now),
                error: None,
            },
            queues: Queues::default(),
            workers: Workers::default(),
            runs: Runs::new(false),
            controls: Orders::default(),
            listing: Listing::default(),
            unreadable: Vec::new(),
        }
    }

    /// Takes news.
    pub fn apply(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Connected if !self.broker.connected => {
                self.broker = Broker {
                    connected: true,
                    since: Moment(now),
                    error: None,
                };
                self.workers.excuse_silence(now);
            }
            Input::Connected => {}
            Input::Away(error) => {
                if self.broker.connected {
                    self.broker.connected = false;
                    self.broker.since = Moment(now);
                }
                self.broker.error = Some(error);
            }
            Input::RunsAnew { late } => self.runs = Runs::new(late),
            Input::Run(change) => self.runs.changed(change.key, change.value, change.sequence),
            Input::Found(run) => self.runs.found(*run),
            Input::Parts(job, parts) => self.runs.planned(&job, *parts),
            Input::Worker(change) => {
                let at = change.time.map_or(now, |time| time.min(now));
                match change.value {
                    Some(heartbeat) => self.workers.heard(heartbeat, at),
                    None => self.workers.gone(&change.key, at),
                }
            }
            Input::Lanes(lanes, heads) => self.queues.set(lanes, &heads, NEXT),
            Input::Waiting(lanes, next, waiting) => {
                self.queues.set_listed(lanes, next, waiting);
            }
            Input::Progress(progress) => self.runs.progressed(*progress, now),
            Input::Controls(controls) => self.controls = controls,
            Input::Listing(listing) => self.listing = listing,
            Input::Unreadable(things) => self.unreadable = things,
        }
    }

    /// Forgets what is too old to show.
    pub fn forget(&mut self, now: Timestamp) {
        let clock = self.clock(now);
        self.workers.forget(clock);
        self.runs.forget(clock);
    }

    /// Jobs that heartbeats name as running and that have no known run.
    pub fn unknown_jobs(&self, now: Timestamp) -> Vec<JobId> {
        self.workers
            .jobs(self.clock(now))
            // The whole job of a part is in no heartbeat.
            .flat_map(|job| [job, job.whole()])
            .filter(|job| !self.runs.knows(job))
            .collect::<BTreeSet<JobId>>()
            .into_iter()
            .collect()
    }

    /// Split jobs of whose plan nothing is known.
    pub fn unplanned_jobs(&self) -> Vec<JobId> {
        self.runs.unplanned()
    }

    /// The parts of every split job that is under way.
    pub fn parts(&self) -> HashMap<JobId, Vec<PartRow>> {
        self.runs.parts()
    }

    /// The capabilities of each worker.
    pub fn cards(&self) -> Cards {
        self.workers.cards()
    }

    /// Rises with every change of any worker's capabilities.
    pub fn cards_revision(&self) -> u64 {
        self.workers.cards_revision
    }

    /// The time until which the state is known: while the broker is away, no time passes.
    fn clock(&self, now: Timestamp) -> Timestamp {
        if self.broker.connected {
            now
        } else {
            self.broker.since.0
        }
    }

    /// The state as the page shows it.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let clock = self.clock(now);
        let workers = self.workers.rows(clock);
        let paused = self.controls.iter();
        let paused = paused.filter_map(|(target, order)| match target {
            Target::Queue(queue) if order.paused => Some(queue),
            _ => None,
        });
        let paused = paused.collect();
        let parts = self.runs.waiting_parts();
        let parts: Vec<_> = parts
            .filter(|waiting| {
                !self
                    .controls
                    .is_paused(&Target::Batch(waiting.run.job.batch))
            })
            .collect();
        let queues = self
            .queues
            .rows(&self.runs, &parts, &self.workers, &paused, clock);
        let running = self
            .runs
            .running(|worker| self.workers.is_lost(worker, clock), clock);

        let mut totals = Totals {
            pending: self.queues.pending(&parts),
            fps: running
                .iter()
                .filter_map(|row| row.fps)
                .fold(0.0, |sum: f32, fps| sum + fps)
                .round(),
            ..Totals::default()
        };
        for heartbeat in self.workers.live(clock) {
            totals.workers += 1;
            totals.slots = totals.slots.saturating_add(heartbeat.slots);
        }
        self.runs.count(&mut totals);

        let mut attention =
            attention::unavailable(&workers, &queues, &self.workers, &self.runs, clock);
        attention.extend(attention::unserved(&queues, &self.workers, clock));
        attention.extend(self.workers.places_away(clock));
        attention.extend(self.workers.clocks_off(clock));
        attention.extend(self.unreadable.first().map(|first| Attention::Unreadable {
            count: self.unreadable.len(),
            subject: first.subject.clone(),
            why: first.why.clone(),
        }));
        attention.extend(self.failures(clock));

        Snapshot {
            broker: self.broker.clone(),
            totals,
            attention,
            next: self.queues.next(&queues, NEXT),
            queues,
            workers,
            running,
            retrying: self.runs.retrying(RETRYING),
            recent: self.runs.ended().take(RECENT).cloned().collect(),
            controls: ControlRow::all(&self.controls),
            listing: self.listing.clone(),
        }
    }

    fn failures(&self, clock: Timestamp) -> Option<Attention> {
        let mut lately = self.runs.ended().filter_map(|row| match &row.end {
            JobEnd::Failed { reason, .. } if clock.duration_since(row.ended.0) < FAILED_LATELY => {
                Some((row, reason))
            }
            _ => None,
        });
        let (latest, reason) = lately.next()?;
        Some(Attention::Failed {
            count: 1 + lately.count(),
            job: latest.job.id,
            name: latest.job.name.clone(),
            reason: reason.clone(),
            at: latest.ended,
        })
    }
}
