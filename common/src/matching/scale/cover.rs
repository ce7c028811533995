//! Which waiting jobs idle slots take: the most urgent first, and as many as possible. Jobs that are alike are one node of
//! a flow, workers that are alike another.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::farm::queue::{Priority, Queue};
use crate::farm::worker::Heartbeat;
use crate::matching::scale::Waiting;

/// Waiting jobs that are alike.
pub(super) struct Demand<'a> {
    queues: &'a [Queue],
    priority: Priority,
    jobs: u64,
}

impl<'a> From<&'a Waiting> for Demand<'a> {
    fn from(waiting: &'a Waiting) -> Self {
        Self {
            queues: &waiting.queues,
            priority: waiting.priority,
            jobs: waiting.jobs,
        }
    }
}

/// Idle slots of workers that are alike.
pub(super) struct Supply {
    /// The demands, by number, that these workers take.
    takes: Vec<usize>,
    is_member: bool,
    slots: u64,
}

/// How many jobs of a demand have an idle slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Covered {
    /// Slots of the class's own workers.
    pub by_members: u64,
    /// Slots of other workers.
    pub by_others: u64,
}

impl Supply {
    /// The idle slots of workers; each comes with the number of its slots, and whether it belongs to the class.
    pub(super) fn of<'w>(
        demands: &[Demand<'_>],
        workers: impl Iterator<Item = (&'w Heartbeat, u64, bool)>,
    ) -> Vec<Self> {
        let mut by_queue: BTreeMap<&Queue, Vec<usize>> = BTreeMap::new();
        for (nth, demand) in demands.iter().enumerate() {
            for queue in demand.queues {
                by_queue.entry(queue).or_default().push(nth);
            }
        }
        let mut alike: HashMap<(bool, Vec<usize>), u64> = HashMap::new();
        for (worker, slots, is_member) in workers.filter(|(_, slots, _)| *slots > 0) {
            let served = by_queue.iter().filter(|(queue, _)| worker.serves(queue));
            let mut takes: Vec<usize> = served.flat_map(|(_, takes)| takes).copied().collect();
            takes.sort_unstable();
            takes.dedup();
            if !takes.is_empty() {
                *alike.entry((is_member, takes)).or_default() += slots;
            }
        }
        let supply = |((is_member, takes), slots)| Self {
            takes,
            is_member,
            slots,
        };
        let mut supplies: Vec<Self> = alike.into_iter().map(supply).collect();
        // Slots of the class itself come first, then those that take little else.
        supplies.sort_by(|one, other| {
            let order = |supply: &Self| (Reverse(supply.is_member), supply.takes.len());
            order(one)
                .cmp(&order(other))
                .then_with(|| one.takes.cmp(&other.takes))
        });
        supplies
    }
}

/// How many jobs of each demand have a slot.
pub(super) fn cover(demands: &[Demand<'_>], supplies: &[Supply]) -> Vec<Covered> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|nth| Reverse(demands[*nth].priority));
    let mut flow = Flow::new(demands.len(), supplies);
    for nth in order {
        let mut left = demands[nth].jobs;
        while left > 0 {
            match flow.place(nth, left) {
                0 => break,
                placed => left -= placed,
            }
        }
    }
    let covered = |nth: usize| {
        let mut sum = Covered::default();
        for (supply, jobs) in &flow.placed[nth] {
            if supplies[*supply].is_member {
                sum.by_members += jobs;
            } else {
                sum.by_others += jobs;
            }
        }
        sum
    };
    (0..demands.len()).map(covered).collect()
}

/// A flow of jobs to slots, improved path by path. Jobs that were placed stay placed, perhaps in other slots.
struct Flow {
    /// The supplies of each demand.
    takers: Vec<Vec<usize>>,
    free: Vec<u64>,
    /// For each demand, the jobs that each supply takes.
    placed: Vec<BTreeMap<usize, u64>>,
    /// For each supply, the demands of which it takes jobs.
    taken: Vec<BTreeMap<usize, u64>>,
}

impl Flow {
    fn new(demands: usize, supplies: &[Supply]) -> Self {
        let mut takers = vec![Vec::new(); demands];
        for (nth, supply) in supplies.iter().enumerate() {
            for demand in &supply.takes {
                takers[*demand].push(nth);
            }
        }
        Self {
            takers,
            free: supplies.iter().map(|supply| supply.slots).collect(),
            placed: vec![BTreeMap::new(); demands],
            taken: vec![BTreeMap::new(); supplies.len()],
        }
    }

    /// Places up to `most` jobs of a demand along one shortest path. Returns how many: 0 if no slot can be made free.
    fn place(&mut self, demand: usize, most: u64) -> u64 {
        // From which demand each supply was reached.
        let mut reached: HashMap<usize, usize> = HashMap::new();
        // From which supply each further demand was reached.
        let mut displaced: HashMap<usize, usize> = HashMap::new();
        let mut next = VecDeque::from([demand]);
        while let Some(at) = next.pop_front() {
            for supply in &self.takers[at] {
                if reached.contains_key(supply) {
                    continue;
                }
                reached.insert(*supply, at);
                if self.free[*supply] > 0 {
                    return self.move_along(*supply, demand, most, &reached, &displaced);
                }
                for (other, jobs) in &self.taken[*supply] {
                    if *jobs > 0 && *other != demand && !displaced.contains_key(other) {
                        displaced.insert(*other, *supply);
                        next.push_back(*other);
                    }
                }
            }
        }
        0
    }

    /// Moves jobs along the path that ends at a supply with free slots.
    fn move_along(
        &mut self,
        end: usize,
        demand: usize,
        most: u64,
        reached: &HashMap<usize, usize>,
        displaced: &HashMap<usize, usize>,
    ) -> u64 {
        // The jobs of each demand on the path that leave one supply for another.
        let mut steps = Vec::new();
        let mut to = end;
        let mut jobs = most.min(self.free[end]);
        loop {
            let at = reached[&to];
            let from = (at != demand).then(|| displaced[&at]);
            if let Some(from) = from {
                jobs = jobs.min(self.placed[at][&from]);
            }
            steps.push((at, from, to));
            match from {
                Some(from) => to = from,
                None => break,
            }
        }
        for (at, from, to) in steps {
            *self.placed[at].entry(to).or_default() += jobs;
            *self.taken[to].entry(at).or_default() += jobs;
            if let Some(from) = from {
                take(&mut self.placed[at], from, jobs);
                take(&mut self.taken[from], at, jobs);
            }
        }
        self.free[end] -= jobs;
        jobs
    }
}

fn take(amounts: &mut BTreeMap<usize, u64>, of: usize, jobs: u64) {
    if let Some(amount) = amounts.get_mut(&of) {
        *amount -= jobs;
        if *amount == 0 {
            amounts.remove(&of);
        }
    }
}
