//! The work that waits for a worker, and the work that each worker owns: what tells how many workers the farm needs. A
//! row tells of one job in one queue; [`Beyond`] holds what goes beyond that.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::farm::orders::{Orders, Target};
use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::job::part::Part;
use common::job::run::{Requeue, Run, RunState};
use common::job::state::JobState;
use common::matching::scale::Waiting;
use common::names::subject::JobSubject;
use jiff::Timestamp;

use super::Index;
use super::row::Row;

/// What the rows do not tell of the jobs that have not ended.
#[derive(Default)]
pub(super) struct Beyond {
    /// Further queues in which a job has a message: fallbacks that have opened, and the queue of joins.
    further: HashMap<JobId, Vec<u32>>,
    /// When the next attempt at a job may begin, in milliseconds since the epoch.
    due: HashMap<JobId, i64>,
    /// The jobs that are split, by the whole job, with the parts that have not ended.
    parts: HashMap<JobId, HashMap<Part, PartRow>>,
    /// The jobs that no worker owns, because their parts wait or run.
    split: HashSet<JobId>,
}

/// A part that has not ended.
struct PartRow {
    queue: u32,
    priority: u8,
    stand: Stand,
}

/// Where a part stands.
enum Stand {
    Waiting,
    /// It waits until then, in milliseconds since the epoch.
    Due(i64),
    /// This worker owns it.
    Running(u32),
}

/// The work of the farm that has not ended.
#[derive(Debug, Default, PartialEq)]
pub struct Work {
    /// Jobs and parts that a worker could start now; those with an owner, once that has vanished.
    work: Vec<(Option<WorkerName>, Waiting)>,
    /// How many jobs and parts each worker owns.
    pub running: HashMap<WorkerName, u32>,
}

impl Work {
    /// The jobs and parts that a worker could start now, with those of owners that are gone.
    pub fn startable(&self, is_gone: impl Fn(&WorkerName) -> bool) -> Vec<Waiting> {
        let mut alike: BTreeMap<(&[Queue], Priority), u64> = BTreeMap::new();
        let work = self.work.iter();
        for (_, waiting) in work.filter(|(owner, _)| owner.as_ref().is_none_or(&is_gone)) {
            let key = (waiting.queues.as_slice(), waiting.priority);
            *alike.entry(key).or_default() += waiting.jobs;
        }
        let waiting = |((queues, priority), jobs): ((&[Queue], _), _)| Waiting {
            queues: queues.to_vec(),
            priority,
            jobs,
        };
        alike.into_iter().map(waiting).collect()
    }
}

/// Alike jobs: their owner, their queue, further queues, and their priority.
type Alike<'a> = (Option<u32>, u32, &'a [u32], u8);

impl Beyond {
    /// Takes a message of a job in a queue that is not the one in its row.
    pub(super) fn waits_in(&mut self, job: &JobId, queue: u32) {
        let further = self.further.entry(*job).or_default();
        if !further.contains(&queue) {
            further.push(queue);
        }
    }

    /// Takes the change of a whole job's run.
    pub(super) fn ran(&mut self, run: &Run) {
        let job = &run.job.id;
        match &run.state {
            RunState::Waiting { until, .. } => {
                self.due.insert(*job, until.as_millisecond());
            }
            _ => {
                self.due.remove(job);
            }
        }
        if matches!(run.state, RunState::Split { .. }) {
            self.split.insert(*job);
        } else if self.split.remove(job) && matches!(run.state, RunState::Queued { .. }) {
            // Its split was given up.
            self.parts.remove(job);
        }
        // A person's change begins anew: the job's earlier messages are gone, and its fallbacks open again in turn.
        let is_anew = matches!(
            run.state,
            RunState::Queued {
                by: Requeue::Person | Requeue::Moved
            }
        );
        if is_anew || run.state.is_terminal() {
            self.further.remove(job);
        }
        if run.state.is_terminal() {
            self.parts.remove(job);
        }
    }

    /// Forgets a job.
    pub(super) fn forget(&mut self, job: &JobId) {
        self.further.remove(job);
        self.due.remove(job);
        self.split.remove(job);
        self.parts.remove(job);
    }

    /// A part has ended. If it made a chunk, the message of a second run of that chunk is removed without a notice.
    fn part_ended(&mut self, part: &JobId) {
        if let Some(parts) = self.parts.get_mut(&part.whole()) {
            let chunk = part.part().chunk();
            parts.retain(|other, row| {
                let is_same = chunk.is_some() && other.chunk() == chunk;
                *other != part.part() && !(is_same && matches!(row.stand, Stand::Waiting))
            });
        }
    }
}

impl Index {
    /// Takes a message of a part of a split job.
    pub fn part_queued(&mut self, place: &JobSubject) {
        let row = PartRow {
            queue: self.queues.id(&place.lane.queue),
            priority: u8::from(place.lane.priority),
            stand: Stand::Waiting,
        };
        if self.has_ended(&place.job) {
            return;
        }
        let parts = self.beyond.parts.entry(place.job.whole()).or_default();
        let known = parts.get(&place.job.part());
        // A part that has a run is told of by that. One without may have been moved.
        if known.is_none_or(|known| matches!(known.stand, Stand::Waiting)) {
            parts.insert(place.job.part(), row);
        }
    }

    /// Takes the change of a part's run; `None` if it was removed.
    pub fn part_ran(&mut self, part: &JobId, run: Option<&Run>) {
        let stand = run.and_then(|run| match &run.state {
            RunState::Running { worker, .. } => {
                Some(Stand::Running(self.workers.id(&Some(worker.clone()))))
            }
            RunState::Queued { .. } => Some(Stand::Waiting),
            RunState::Waiting { until, .. } => Some(Stand::Due(until.as_millisecond())),
            _ => None,
        });
        match (run, stand) {
            (Some(run), Some(stand)) if !self.has_ended(part) => {
                let row = PartRow {
                    queue: self.queues.id(&run.queue),
                    priority: u8::from(run.priority),
                    stand,
                };
                let parts = self.beyond.parts.entry(part.whole()).or_default();
                parts.insert(part.part(), row);
            }
            _ => self.beyond.part_ended(part),
        }
    }

    /// Whether the whole job is known to have ended.
    fn has_ended(&self, part: &JobId) -> bool {
        let slot = self.find(&part.whole());
        let row = slot.and_then(|slot| self.slots.get(slot));
        row.is_some_and(|row| row.state.has_ended())
    }

    /// The work that has not ended. What is paused does not wait for a worker, nor what waits for a time after `now`.
    pub fn work(&self, orders: &Orders, now: Timestamp) -> Work {
        let is_held: Vec<bool> = self
            .batches
            .values()
            .iter()
            .map(|batch| orders.is_paused(&Target::Batch(*batch)))
            .collect();
        let now = now.as_millisecond();
        let mut work: HashMap<Alike<'_>, u64> = HashMap::new();
        let mut running: HashMap<u32, u32> = HashMap::new();
        for (_, row) in self.slots.iter() {
            let owner = self.owner(row);
            if let Some(owner) = owner {
                *running.entry(owner).or_default() += 1;
            }
            if !is_held[row.batch as usize] && self.may_start(row, now) {
                let further = self.beyond.further.get(&row.id);
                let further = further.map_or(&[][..], Vec::as_slice);
                let alike = (owner, row.queue, further, row.priority);
                *work.entry(alike).or_default() += 1;
            }
        }
        for (job, parts) in &self.beyond.parts {
            let slot = self.find(job);
            let Some(whole) = slot.and_then(|slot| self.slots.get(slot)) else {
                continue;
            };
            let is_needed = whole.state == JobState::Running && !is_held[whole.batch as usize];
            for part in parts.values() {
                let owner = match part.stand {
                    Stand::Running(worker) => Some(worker),
                    Stand::Due(at) if at > now => continue,
                    Stand::Due(_) | Stand::Waiting => None,
                };
                if let Some(owner) = owner {
                    *running.entry(owner).or_default() += 1;
                }
                if is_needed {
                    let alike = (owner, part.queue, &[][..], part.priority);
                    *work.entry(alike).or_default() += 1;
                }
            }
        }
        Work {
            work: work
                .into_iter()
                .filter_map(|(alike, jobs)| self.startable(alike, jobs, orders))
                .collect(),
            running: running
                .into_iter()
                .filter_map(|(worker, jobs)| Some((self.workers.get(worker).clone()?, jobs)))
                .collect(),
        }
    }

    /// The worker that owns a job.
    fn owner(&self, row: &Row) -> Option<u32> {
        let is_owned = row.state == JobState::Running && !self.beyond.split.contains(&row.id);
        is_owned.then_some(row.worker)
    }

    /// Whether a job may start, if no live worker owns it.
    fn may_start(&self, row: &Row, now: i64) -> bool {
        match row.state {
            JobState::Pending => true,
            JobState::Waiting => self.beyond.due.get(&row.id).is_none_or(|at| *at <= now),
            // Of a split job, the message that asks to join its pieces is in another queue than its parts.
            JobState::Running if self.beyond.split.contains(&row.id) => {
                self.beyond.further.contains_key(&row.id)
            }
            JobState::Running => true,
            _ => false,
        }
    }

    /// Alike jobs, with their queues that are not paused; `None` if all are.
    fn startable(
        &self,
        (owner, queue, further, priority): Alike<'_>,
        jobs: u64,
        orders: &Orders,
    ) -> Option<(Option<WorkerName>, Waiting)> {
        let queues = std::iter::once(&queue).chain(further);
        let is_open = |queue: &&Queue| !orders.is_paused(&Target::Queue((*queue).clone()));
        let mut queues: Vec<Queue> = queues
            .map(|queue| self.queues.get(*queue))
            .filter(is_open)
            .cloned()
            .collect();
        queues.sort_unstable();
        queues.dedup();
        let waiting = Waiting {
            priority: Priority::try_from(priority).ok()?,
            jobs,
            queues,
        };
        let owner = owner.and_then(|owner| self.workers.get(owner).clone());
        (!waiting.queues.is_empty()).then_some((owner, waiting))
    }
}
