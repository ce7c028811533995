//! How many workers of a class the farm needs now: one rule for the monitor, for autoscalers and for tests. Pure.

pub mod autoscaler;
mod class;
mod cover;
pub mod decide;
#[cfg(test)]
mod tests;
mod untaken;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::farm::queue::{Priority, Queue};
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::wire;

pub use class::{Class, ClassError};
use cover::{Demand, Supply};
pub use untaken::Untaken;

/// Jobs, and parts of split jobs, that are alike in what matters here. All of them may start now: none waits for a time,
/// and none is held by a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The queues from which each of them may be taken: its own, and its fallbacks that have opened.
    pub queues: Vec<Queue>,
    /// Their priority.
    pub priority: Priority,
    /// How many there are.
    pub jobs: u64,
}

/// A live worker, with the number of jobs and parts that it owns.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// Its last heartbeat.
    pub worker: &'a Heartbeat,
    /// Jobs and parts whose runs name it as their owner.
    pub running: u32,
}

impl Present<'_> {
    /// The jobs that it can take at once.
    fn idle_slots(&self) -> u64 {
        if self.worker.status == WorkerStatus::Ready {
            u64::from(self.worker.slots.saturating_sub(self.running))
        } else {
            0
        }
    }
}

/// How many workers a class needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = ClassScale))]
pub struct Scale {
    /// Waiting jobs that a new worker of the class could start now, beyond those that idle slots of live workers take.
    pub startable: u64,
    /// Waiting jobs of the class for which its live workers have idle slots.
    pub covered: u64,
    /// Jobs that the class's live workers run, whatever queue they are from.
    pub running: u64,
    /// Live workers of the class.
    pub workers: u64,
    /// Workers that all these jobs need: `startable`, `covered` and `running` by the jobs of a worker, rounded up.
    pub wanted: u64,
}

impl wire::Message for Scale {}

impl Scale {
    /// Waiting jobs of the class.
    pub(crate) fn waiting(&self) -> u64 {
        self.startable.saturating_add(self.covered)
    }
}

/// How many workers a class needs, where each runs so many jobs at once.
///
/// - A job that may be taken from several queues counts once. A job for one worker counts for no class, and yet takes
///   an idle slot of that worker.
/// - Idle slots take the most urgent jobs, and as many jobs as possible: a slot that serves several queues never takes a
///   job for which another slot is free, if that leaves a job without one.
/// - A slot of a worker that takes no jobs now (draining, outside its hours, in quarantine) is not idle.
pub fn scale(
    class: &Class,
    waiting: &[Waiting],
    workers: &[Present<'_>],
    jobs_per_worker: NonZeroU32,
) -> Scale {
    let members: Vec<bool> = workers
        .iter()
        .map(|present| class.has(present.worker))
        .collect();
    let demands: Vec<Demand<'_>> = waiting.iter().map(Demand::from).collect();
    let supplies = workers.iter().zip(&members).map(|(present, is_member)| {
        let slots = present.idle_slots();
        (present.worker, slots, *is_member)
    });
    let covered = cover::cover(&demands, &Supply::of(&demands, supplies));

    let mut sum = Scale::default();
    for (group, covered) in waiting.iter().zip(&covered) {
        if class.takes_any(&group.queues) {
            sum.startable += group.jobs - covered.by_members - covered.by_others;
            sum.covered += covered.by_members;
        }
    }
    for (present, _) in workers.iter().zip(&members).filter(|(_, member)| **member) {
        sum.workers += 1;
        sum.running += u64::from(present.running);
    }
    let jobs = sum.startable + sum.covered + sum.running;
    sum.wanted = jobs.div_ceil(u64::from(jobs_per_worker.get()));
    sum
}
