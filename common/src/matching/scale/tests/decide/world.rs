//! A made-up farm and an autoscaler in it, with what holds for every decision.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::farm::orders::{Order, Orders, Target};
use crate::farm::queue::Queue;
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Rules};
use crate::matching::scale::decide::{Seen, Step};
use crate::matching::scale::{Present, Waiting, scale};
use crate::testing;

pub(super) const RULES: Rules = Rules {
    min: 0,
    max: 10,
    jobs_per_worker: NonZeroU32::MIN,
    up_per_minute: 100,
    down_per_minute: 100,
    cool_down: 120,
    start_within: 300,
};

/// A farm in which workers do what they are told, and one autoscaler.
#[derive(Clone)]
pub(super) struct World {
    pub(super) record: Autoscaler,
    pub(super) now: Timestamp,
    /// Jobs that wait.
    pub(super) jobs: u64,
    /// Jobs that wait, and that no worker takes: each is larger than the workers' largest, for example.
    pub(super) unfit: u64,
    /// Workers that are alive, with the jobs that they run.
    pub(super) alive: BTreeMap<WorkerName, u32>,
    /// Workers whose processes were started and that have not appeared.
    pub(super) booting: BTreeSet<WorkerName>,
    pub(super) drained: BTreeSet<WorkerName>,
    pub(super) foreign: BTreeSet<WorkerName>,
    names: u32,
}

impl World {
    pub(super) fn new(rules: Rules) -> Self {
        let lease = AutoscalerLease {
            holder: Uuid::nil(),
            host: "here".to_owned(),
            until: Timestamp::MAX,
        };
        let queues = vec!["libx265".parse::<Queue>().expect("a queue")];
        let name = "cpu".parse().expect("a name");
        Self {
            record: Autoscaler::new(name, queues, rules, lease),
            now: Timestamp::UNIX_EPOCH,
            jobs: 0,
            unfit: 0,
            alive: BTreeMap::new(),
            booting: BTreeSet::new(),
            drained: BTreeSet::new(),
            foreign: BTreeSet::new(),
            names: 0,
        }
    }

    fn heartbeats(&self) -> Vec<Heartbeat> {
        let beat = |(name, running): (&WorkerName, &u32)| {
            let mut beat = testing::heartbeat(name.as_str(), &["libx265"]);
            beat.slots = self.record.rules.jobs_per_worker.get();
            let id = testing::job(
                crate::recipe::Choice::Encoder("libx265".parse().expect("one")),
                1,
            )
            .id;
            beat.running = vec![id; *running as usize];
            beat.status = match (self.drained.contains(name), running) {
                (false, _) => WorkerStatus::Ready,
                (true, 0) => WorkerStatus::Drained,
                (true, _) => WorkerStatus::Draining,
            };
            beat
        };
        self.alive.iter().map(beat).collect()
    }

    fn orders(&self) -> Orders {
        let order = |name: &WorkerName| {
            let order = Order {
                paused: true,
                hours: None,
                since: self.now,
            };
            (Target::Worker(name.clone()), order)
        };
        self.drained.iter().map(order).collect()
    }

    /// The autoscaler looks, and its steps are taken. Returns them.
    pub(super) fn look(&mut self) -> Vec<Step> {
        let workers = self.heartbeats();
        let class = self.record.class().expect("a class");
        let queue: Queue = "libx265".parse().expect("a queue");
        let waiting = Waiting {
            queues: vec![queue],
            priority: 5.try_into().expect("1 to 10"),
            jobs: self.jobs + self.unfit,
        };
        let present: Vec<Present<'_>> = workers
            .iter()
            .map(|worker| Present {
                worker,
                running: u32::try_from(worker.running.len()).expect("few"),
            })
            .collect();
        let jobs_per_worker = self.record.rules.jobs_per_worker;
        let scale = scale(&class, &[waiting], &present, jobs_per_worker);
        let orders = self.orders();
        let seen = Seen {
            scale,
            workers: &workers,
            is_complete: true,
            orders: &orders,
            now: self.now,
        };
        let mut names = self.names;
        let mut name = || {
            names += 1;
            format!("cpu-{names}").parse().expect("a name")
        };
        let (next, steps) = self.record.decide(&seen, &mut name);
        self.names = names;
        self.check(&next, &steps);
        self.record = next;
        for step in &steps {
            match step {
                Step::Start(name) => {
                    self.booting.insert(name.clone());
                }
                Step::Drain(name) => {
                    self.drained.insert(name.clone());
                }
                Step::Resume(name) | Step::Lift(name) => {
                    self.drained.remove(name);
                }
                Step::Stop(name) => {
                    self.alive.remove(name);
                    self.booting.remove(name);
                }
            }
        }
        steps
    }

    /// What holds for every decision.
    fn check(&self, next: &Autoscaler, steps: &[Step]) {
        let rules = &self.record.rules;
        for step in steps {
            match step {
                Step::Start(name) => {
                    assert!(next.workers.contains_key(name));
                    assert!(next.retry_at.is_none_or(|at| at <= self.now));
                }
                Step::Drain(name) => {
                    assert!(self.record.workers.contains_key(name), "not its own");
                    assert_eq!(self.alive.get(name), Some(&0), "it runs a job");
                }
                Step::Stop(name) => {
                    assert!(self.record.workers.contains_key(name), "not its own");
                    let running = self.alive.get(name).copied().unwrap_or(0);
                    assert_eq!(running, 0, "an encode would be killed");
                    assert!(self.drained.contains(name) || !self.alive.contains_key(name));
                }
                Step::Resume(name) => assert!(self.drained.contains(name)),
                Step::Lift(name) => assert!(!self.alive.contains_key(name)),
            }
        }
        let is_start = |step: &&Step| matches!(step, Step::Start(_));
        let starts = steps.iter().filter(is_start).count();
        let own = |name: &&WorkerName| self.record.workers.contains_key(*name);
        let there = self.alive.keys().filter(own).count() + self.booting.len();
        if starts > 0 {
            let most = rules.max.max(rules.min) as usize;
            assert!(there + starts <= most, "{there} and {starts} are too many");
        }
        assert!(next.ups.len() <= rules.up_per_minute as usize || starts == 0);
        assert!(next.downs.len() <= rules.down_per_minute as usize);
        assert!(next.decisions.len() <= 20);
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Every booting worker appears.
    pub(super) fn boot(&mut self) {
        for name in std::mem::take(&mut self.booting) {
            self.alive.insert(name, 0);
        }
    }

    /// Idle workers that are not drained take jobs.
    pub(super) fn work(&mut self) {
        let most = self.record.rules.jobs_per_worker.get();
        for (name, running) in &mut self.alive {
            while self.jobs > 0 && *running < most && !self.drained.contains(name) {
                self.jobs -= 1;
                *running += 1;
            }
        }
    }

    /// Every running job ends.
    pub(super) fn finish(&mut self) {
        self.alive.values_mut().for_each(|running| *running = 0);
    }
}
