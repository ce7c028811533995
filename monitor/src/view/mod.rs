//! The state of the farm, folded from what the broker says. Pure: no I/O and
//! no clock of its own, so that every rule of it is tested by itself.

mod attention;
pub mod board;
mod queues;
mod runs;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use common::broker::{Change, LaneStatus, Unreadable};
use common::farm::orders::{Controls, Target};
use common::farm::queue::Queue;
use common::farm::worker::Heartbeat;
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::progress::Progress;
use common::job::record::Pending;
use common::job::run::Run;
use common::matching::outlook::Waiting;
use jiff::{SignedDuration, Timestamp};

use crate::index::shared::Progress as Listing;
use crate::snapshot::attention::Attention;
use crate::snapshot::jobs::{Ending, NextRow};
use crate::snapshot::moment::Moment;
use crate::snapshot::workers::Cards;
use crate::snapshot::{Broker, ControlRow, Snapshot, Totals};
use queues::Queues;
use runs::Runs;
use workers::Workers;

/// Jobs that wait, as many as are shown.
pub const NEXT: usize = 200;
/// Jobs that will be tried again, as many as are shown.
const RETRYING: usize = 100;
/// Jobs that ended, as many as are shown.
const RECENT: usize = 100;
/// How long a failure calls for attention.
const FAILED_LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Something that the broker says.
#[derive(Debug)]
pub enum Input {
    /// It answers.
    Connected,
    /// It does not, for this reason.
    Away(String),
    /// The changes of runs follow anew; from the first one on, or not.
    RunsAnew {
        /// Whether earlier ones are left out.
        late: bool,
    },
    /// A run has changed.
    Run(Box<Change<JobId, Run>>),
    /// A run that began before the changes.
    Found(Box<Run>),
    /// A worker was heard of, or is gone.
    Worker(Box<Change<WorkerName, Heartbeat>>),
    /// The lanes, all of them, and the jobs at their heads.
    Lanes(Vec<LaneStatus>, Vec<Pending>),
    /// The same, as far as the listing of all jobs knows: the jobs that come
    /// next are in order, and those that wait in each queue are summed up.
    Waiting(Vec<LaneStatus>, Vec<NextRow>, HashMap<Queue, Waiting>),
    /// A worker says how far a job is.
    Progress(Box<Progress>),
    /// The orders that are in force.
    Controls(Controls),
    /// How far the listing of all jobs is.
    Listing(Listing),
    /// What cannot be read of all that.
    Unreadable(Vec<Unreadable>),
}

/// The state of the farm.
pub struct View {
    broker: Broker,
    queues: Queues,
    workers: Workers,
    runs: Runs,
    controls: Controls,
    listing: Listing,
    unreadable: Vec<Unreadable>,
}

impl View {
    /// Nothing is known yet.
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
            controls: Controls::default(),
            listing: Listing::default(),
            unreadable: Vec::new(),
        }
    }

    /// Takes in what the broker says.
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

    /// Lets go of what has grown old.
    pub fn forget(&mut self, now: Timestamp) {
        let clock = self.clock(now);
        self.workers.forget(clock);
        self.runs.forget(clock);
    }

    /// Jobs that workers say they run and of which no run was seen.
    pub fn unknown_jobs(&self, now: Timestamp) -> Vec<JobId> {
        self.workers
            .jobs(self.clock(now))
            .filter(|job| !self.runs.knows(job))
            .collect()
    }

    /// What each worker has proved.
    pub fn cards(&self) -> Cards {
        self.workers.cards()
    }

    /// Rises whenever a card changes.
    pub fn cards_revision(&self) -> u64 {
        self.workers.cards_revision
    }

    /// While the broker is away nothing can be heard: no time passes.
    fn clock(&self, now: Timestamp) -> Timestamp {
        if self.broker.connected {
            now
        } else {
            self.broker.since.0
        }
    }

    /// The state as it is shown.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let clock = self.clock(now);
        let workers = self.workers.rows(clock);
        let paused = self.controls.iter();
        let paused = paused.filter_map(|(target, order)| match target {
            Target::Queue(queue) if order.paused => Some(queue),
            _ => None,
        });
        let paused = paused.collect();
        let queues = self.queues.rows(&self.runs, &self.workers, &paused, clock);
        let running = self
            .runs
            .running(|worker| self.workers.is_lost(worker, clock));

        let mut totals = Totals {
            pending: self.queues.pending(),
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
        let mut lately = self.runs.ended().filter_map(|row| match &row.ending {
            Ending::Failed { reason, .. } if clock.duration_since(row.ended.0) < FAILED_LATELY => {
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
