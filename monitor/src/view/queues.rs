//! Queues: the jobs that wait in each, and the workers that serve it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::broker::LaneStatus;
use common::farm::queue::{Priority, Queue};
use common::job::record::Pending;
use common::matching::outlook::{Outlook, Past, Waiting};
use jiff::Timestamp;

use super::runs::{Runs, WaitingParts};
use super::workers::Workers;
use crate::snapshot::jobs;
use crate::snapshot::jobs::NextRow;
use crate::snapshot::moment::Moment;
use crate::snapshot::queues::{QueueRow, Unserved};
use crate::snapshot::workers::Presence;

/// The most workers that are named beside a queue.
const SERVERS: usize = 5;

/// The jobs that wait.
#[derive(Default)]
pub(super) struct Queues {
    lanes: Vec<LaneStatus>,
    next: Vec<NextRow>,
    /// Pending jobs of each queue, if the index knows them.
    waiting: HashMap<Queue, Waiting>,
    /// Whether the lanes count parts of split jobs as pending: those of the broker do.
    counts_parts: bool,
}

impl Queues {
    /// Takes the lanes and the jobs at their heads.
    pub(super) fn set(&mut self, lanes: Vec<LaneStatus>, heads: &[Pending], most: usize) {
        self.lanes = lanes;
        let mut heads: Vec<&Pending> = heads.iter().collect();
        heads.sort_by_key(|pending| (std::cmp::Reverse(pending.priority), pending.sequence));
        heads.truncate(most);
        self.next = heads.into_iter().map(next).collect();
        self.waiting.clear();
        self.counts_parts = true;
    }

    /// Takes the lanes and the next jobs, already in order.
    pub(super) fn set_listed(
        &mut self,
        lanes: Vec<LaneStatus>,
        next: Vec<NextRow>,
        waiting: HashMap<Queue, Waiting>,
    ) {
        self.lanes = lanes;
        self.next = next;
        self.waiting = waiting;
        self.counts_parts = false;
    }

    /// Rows of the next jobs; jobs that no worker takes come last.
    pub(super) fn next(&self, queues: &[QueueRow], most: usize) -> Vec<NextRow> {
        let unserved: BTreeMap<&Queue, Unserved> = queues
            .iter()
            .filter_map(|row| Some((&row.queue, row.unserved?)))
            .collect();
        let mut next = self.next.clone();
        for row in &mut next {
            row.unserved = unserved.get(&row.queue).copied();
        }
        next.sort_by_key(|row| row.unserved.is_some());
        next.truncate(most);
        next
    }

    /// Pending jobs; no parts, of which these wait.
    pub(super) fn pending(&self, parts: &[WaitingParts<'_>]) -> u64 {
        let all: u64 = self.lanes.iter().map(|lane| lane.pending).sum();
        let parts = parts.iter().map(|waiting| waiting.parts).sum();
        match self.counts_parts {
            true => all.saturating_sub(parts),
            false => all,
        }
    }

    pub(super) fn rows(
        &self,
        runs: &Runs,
        parts: &[WaitingParts<'_>],
        workers: &Workers,
        paused: &BTreeSet<&Queue>,
        clock: Timestamp,
    ) -> Vec<QueueRow> {
        let running = runs.outlooks(clock);
        let past = runs.past_by_queue();
        let mut lanes: BTreeMap<&Queue, Vec<&LaneStatus>> = BTreeMap::new();
        for status in &self.lanes {
            lanes.entry(&status.lane.queue).or_default().push(status);
        }
        for queue in running.keys().chain(paused) {
            lanes.entry(queue).or_default();
        }
        let known = lanes.into_iter().map(|(queue, lanes)| Known {
            queue,
            lanes,
            parts: parts
                .iter()
                .filter(|waiting| waiting.run.queue == *queue)
                .copied()
                .collect(),
            counts_parts: self.counts_parts,
            outlook: running.get(queue).cloned().unwrap_or_default(),
            past: past.get(queue).copied().unwrap_or_default(),
            waiting: self.waiting.get(queue).copied(),
            is_paused: paused.contains(queue),
        });
        known.map(|known| known.row(workers, clock)).collect()
    }
}

struct Known<'a> {
    queue: &'a Queue,
    lanes: Vec<&'a LaneStatus>,
    /// The parts of split jobs that wait there.
    parts: Vec<WaitingParts<'a>>,
    /// Whether the lanes count these parts already.
    counts_parts: bool,
    outlook: Outlook,
    /// How long recent jobs of the queue took.
    past: Past,
    /// Pending jobs, if all of them are known.
    waiting: Option<Waiting>,
    is_paused: bool,
}

impl Known<'_> {
    /// What waits for each priority, jobs and parts, the most urgent first.
    fn by_priority(&self) -> Vec<(Priority, u64)> {
        let lanes = self.lanes.iter();
        let lanes = lanes.map(|status| (status.lane.priority, status.pending));
        let parts = self.parts.iter().filter(|_| !self.counts_parts);
        let parts = parts.map(|waiting| (waiting.run.priority, waiting.parts));
        let mut sums: BTreeMap<Priority, u64> = BTreeMap::new();
        for (priority, pending) in lanes.chain(parts).filter(|(_, pending)| *pending > 0) {
            let sum = sums.entry(priority).or_default();
            *sum = sum.saturating_add(pending);
        }
        sums.into_iter().rev().collect()
    }

    fn row(&self, workers: &Workers, clock: Timestamp) -> QueueRow {
        let by_priority = self.by_priority();
        let pending = by_priority
            .iter()
            .fold(0_u64, |sum, (_, pending)| sum.saturating_add(*pending));
        let parts: u64 = self.parts.iter().map(|waiting| waiting.parts).sum();
        let jobs = pending.saturating_sub(parts);

        let mut servers = Vec::new();
        let mut served_by = 0;
        let mut slots = 0_u32;
        let mut causes = BTreeSet::new();
        for (worker, presence) in workers.serving(self.queue, clock) {
            if presence == Presence::Ready {
                served_by += 1;
                slots = slots.saturating_add(worker.slots);
                if servers.len() < SERVERS {
                    servers.push(worker.name.clone());
                }
            }
            causes.extend(cause(presence));
        }
        if self.is_paused {
            causes.insert(Unserved::Paused);
        }
        if causes.is_empty() {
            causes.insert(match self.queue {
                Queue::On(_) => Unserved::NotThere,
                _ if workers.live(clock).next().is_none() => Unserved::NoWorkers,
                _ => Unserved::NotProved,
            });
        }
        let is_held = pending > 0 && (served_by == 0 || self.is_paused);
        let unserved = causes.first().copied().filter(|_| is_held);
        let outlook = || {
            let mut outlook = self.outlook.clone();
            outlook.past(self.past);
            if jobs > 0 {
                outlook.waiting(self.waiting?);
            }
            outlook.seconds_left(slots)
        };
        QueueRow {
            queue: self.queue.clone(),
            pending,
            parts,
            held_up: jobs.saturating_add(self.parts.len() as u64),
            by_priority,
            running: self.outlook.jobs_running(),
            oldest: self
                .lanes
                .iter()
                .filter_map(|status| status.oldest)
                .chain(self.parts.iter().map(|waiting| waiting.since))
                .min()
                .map(Moment),
            served_by,
            servers,
            eta: unserved.is_none().then(outlook).flatten().map(f64::round),
            slots,
            past: self.past,
            paused: self.is_paused,
            unserved,
        }
    }
}

/// Why a worker takes no jobs, if it takes none.
fn cause(presence: Presence) -> Option<Unserved> {
    match presence {
        Presence::Ready => None,
        Presence::Draining | Presence::Drained => Some(Unserved::Drained),
        Presence::OffHours => Some(Unserved::OffHours),
        Presence::Quarantined => Some(Unserved::Quarantined),
        Presence::Lost => Some(Unserved::Lost),
    }
}

fn next(pending: &Pending) -> NextRow {
    NextRow {
        job: jobs::name(&pending.job),
        queue: pending.queue.clone(),
        priority: pending.priority,
        enqueued: Moment(pending.job.enqueued),
        input_size: pending.job.bytes(),
        unserved: None,
    }
}
