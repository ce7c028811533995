//! An autoscaler in a made-up farm: rules by example, then anything in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use crate::farm::orders::{Order, Orders, Target};
use crate::farm::queue::Queue;
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::farm::worker_name::WorkerName;
use crate::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Rules};
use crate::matching::scale::decide::{Seen, Step};
use crate::matching::scale::{Class, Present, Waiting, scale};
use crate::testing;

const RULES: Rules = Rules {
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
struct World {
    record: Autoscaler,
    now: Timestamp,
    /// Jobs that wait.
    jobs: u64,
    /// Workers that are alive, with the jobs that they run.
    alive: BTreeMap<WorkerName, u32>,
    /// Workers whose processes were started and that have not appeared.
    booting: BTreeSet<WorkerName>,
    drained: BTreeSet<WorkerName>,
    foreign: BTreeSet<WorkerName>,
    names: u32,
}

impl World {
    fn new(rules: Rules) -> Self {
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
    fn look(&mut self) -> Vec<Step> {
        let workers = self.heartbeats();
        let class = self.record.class().expect("a class");
        let queue: Queue = "libx265".parse().expect("a queue");
        let waiting = Waiting {
            queues: vec![queue],
            priority: 5.try_into().expect("1 to 10"),
            jobs: self.jobs,
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

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Every booting worker appears.
    fn boot(&mut self) {
        for name in std::mem::take(&mut self.booting) {
            self.alive.insert(name, 0);
        }
    }

    /// Idle workers that are not drained take jobs.
    fn work(&mut self) {
        let most = self.record.rules.jobs_per_worker.get();
        for (name, running) in &mut self.alive {
            while self.jobs > 0 && *running < most && !self.drained.contains(name) {
                self.jobs -= 1;
                *running += 1;
            }
        }
    }

    /// Every running job ends.
    fn finish(&mut self) {
        self.alive.values_mut().for_each(|running| *running = 0);
    }
}

fn starts(steps: &[Step]) -> usize {
    let is_start = |step: &&Step| matches!(step, Step::Start(_));
    steps.iter().filter(is_start).count()
}

#[test]
fn it_grows_with_the_jobs_and_shrinks_to_nothing_afterwards() {
    let mut world = World::new(RULES);
    assert_eq!(world.look(), []);
    world.jobs = 3;
    assert_eq!(starts(&world.look()), 3);
    assert_eq!(world.look(), [], "they are starting");
    world.boot();
    assert_eq!(world.look(), [], "they will take the jobs");
    world.work();
    world.pass(3600);
    assert_eq!(world.look(), [], "all are busy");
    world.finish();
    assert_eq!(world.look(), []);
    world.pass(119);
    assert_eq!(
        world.look(),
        [],
        "they are idle for less than the cool-down"
    );
    world.pass(1);
    assert_eq!(world.look().len(), 3, "drained");
    let stops = world.look();
    assert!(
        stops.iter().all(|step| matches!(step, Step::Stop(_))),
        "{stops:?}"
    );
    assert_eq!(stops.len(), 3);
    world.look();
    assert!(world.drained.is_empty(), "no order is left behind");
    world.look();
    assert!(world.record.workers.is_empty());
    let actions: Vec<&str> = world
        .record
        .decisions
        .iter()
        .map(|decision| decision.action.as_str())
        .collect();
    assert_eq!(
        actions,
        [
            "start cpu-1, cpu-2, cpu-3",
            "drain cpu-1, cpu-2, cpu-3",
            "stop cpu-1, cpu-2, cpu-3",
            "forget cpu-1, cpu-2, cpu-3"
        ]
    );
}

#[test]
fn limits_hold_and_the_reason_names_them() {
    let mut world = World::new(Rules {
        min: 1,
        max: 3,
        up_per_minute: 2,
        down_per_minute: 1,
        ..RULES
    });
    assert_eq!(starts(&world.look()), 1, "the least that is kept");
    world.jobs = 9;
    assert_eq!(starts(&world.look()), 1, "two a minute");
    let reason = |world: &World| world.record.decisions.last().expect("one").reason.clone();
    assert!(reason(&world).contains("no more than 2 are started a minute"));
    world.pass(60);
    assert_eq!(starts(&world.look()), 1);
    assert!(reason(&world).contains("no more than 3 workers may run"));
    world.boot();
    world.work();
    world.finish();
    world.jobs = 0;
    world.look();
    world.pass(120);
    assert_eq!(world.look().len(), 1, "one a minute");
    world.pass(60);
    world.look();
    world.pass(600);
    world.look();
    world.pass(600);
    world.look();
    assert_eq!(world.alive.len(), 1, "the least that is kept");
}

#[test]
fn a_worker_that_never_appears_has_failed_and_the_next_start_waits() {
    let mut world = World::new(RULES);
    world.jobs = 1;
    for (wait, failures) in [(30, 1), (60, 2), (120, 3)] {
        assert_eq!(starts(&world.look()), 1);
        world.pass(299);
        assert_eq!(world.look(), [], "it may still appear");
        world.pass(1);
        let stops = world.look();
        assert!(matches!(&stops[..], [Step::Stop(_)]), "{stops:?}");
        assert_eq!(world.record.failures, failures);
        world.pass(wait - 1);
        assert_eq!(world.look(), []);
        world.pass(1);
    }
    assert_eq!(starts(&world.look()), 1);
    world.boot();
    world.look();
    assert_eq!(world.record.failures, 0);
}

#[test]
fn a_job_that_comes_while_a_worker_drains_has_it_resumed() {
    let mut world = World::new(RULES);
    world.jobs = 2;
    world.look();
    world.boot();
    world.jobs = 0;
    world.look();
    world.pass(120);
    assert_eq!(world.look().len(), 2);
    world.jobs = 1;
    let steps = world.look();
    assert!(
        matches!(&steps[..], [Step::Resume(_), Step::Stop(_)]),
        "{steps:?}"
    );
}

#[test]
fn workers_that_it_did_not_start_are_left_alone() {
    let mut world = World::new(Rules {
        cool_down: 0,
        ..RULES
    });
    world.alive.insert("cpu-person".parse().expect("a name"), 0);
    world.alive.insert("attic".parse().expect("a name"), 0);
    for _ in 0..5 {
        world.pass(600);
        assert_eq!(world.look(), []);
    }
    // One that a person has drained does not count as able, and is not stopped.
    world.jobs = 3;
    assert_eq!(starts(&world.look()), 1, "two slots are idle");
    world.boot();
    world.work();
    world.finish();
    let own: WorkerName = "cpu-1".parse().expect("a name");
    world.drained.insert(own.clone());
    for _ in 0..5 {
        world.pass(600);
        assert_eq!(world.look(), []);
    }
    assert!(world.alive.contains_key(&own));
}

#[test]
fn a_cut_off_worker_is_its_own_when_it_comes_back() {
    let mut world = World::new(RULES);
    world.jobs = 1;
    world.look();
    world.boot();
    world.work();
    world.look();
    let cut_off = std::mem::take(&mut world.alive);
    world.pass(300);
    assert_eq!(world.look(), []);
    world.alive = cut_off;
    world.finish();
    world.look();
    world.pass(120);
    assert_eq!(world.look().len(), 1, "drained");
}

#[test]
fn a_broker_that_has_just_started_leads_to_nothing() {
    let mut world = World::new(Rules { min: 2, ..RULES });
    world.look();
    world.boot();
    world.look();
    let seen = Seen {
        scale: Default::default(),
        workers: &[],
        is_complete: false,
        orders: &Orders::default(),
        now: world.now,
    };
    let (_, steps) = world.record.decide(&seen, &mut || unreachable!());
    assert_eq!(steps, []);
}

#[test]
fn only_queues_that_make_a_class_do() {
    let mut world = World::new(RULES);
    world.record.queues = vec![];
    assert!(world.record.class().is_err());
    let class = Class::of_queues(["copy".parse().expect("a queue")]).expect("a class");
    assert!(class.named("cpu-").names(&"cpu-1".parse().expect("a name")));
}

#[derive(Clone, Debug)]
enum Happening {
    Jobs(u64),
    Boot,
    /// Some booting worker dies.
    Fail,
    Work,
    Finish,
    Pass(i64),
    /// The nth worker vanishes.
    Die(usize),
    Foreign,
    /// A person drains the nth worker, or resumes it.
    Person(usize),
    /// The autoscaler is another process, with the stored record.
    Restart,
    Look,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        2 => (0_u64..20).prop_map(Jobs),
        3 => Just(Boot),
        1 => Just(Fail),
        3 => Just(Work),
        2 => Just(Finish),
        3 => (1_i64..200).prop_map(Pass),
        1 => any::<usize>().prop_map(Die),
        1 => Just(Foreign),
        1 => any::<usize>().prop_map(Person),
        1 => Just(Restart),
        8 => Just(Look),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (0_u32..3, 1_u32..8, 1_u32..4, 1_u32..6, 1_u32..6, 0_u64..200).prop_map(
        |(min, max, jobs, up_per_minute, down_per_minute, cool_down)| Rules {
            min,
            max: max.max(min),
            jobs_per_worker: NonZeroU32::new(jobs).expect("not 0"),
            up_per_minute,
            down_per_minute,
            cool_down,
            start_within: 300,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// [`World::check`] looks at each decision. In the end, all jobs are done, and no more workers are left than are kept.
    #[test]
    fn whatever_happens_jobs_are_done_and_no_encode_is_killed(
        rules in rules(),
        happenings in proptest::collection::vec(happening(), 0..80),
    ) {
        let mut world = World::new(rules.clone());
        for happening in happenings {
            match happening {
                Happening::Jobs(jobs) => world.jobs += jobs,
                Happening::Boot => world.boot(),
                Happening::Fail => { world.booting.pop_first(); }
                Happening::Work => world.work(),
                Happening::Finish => world.finish(),
                Happening::Pass(seconds) => world.pass(seconds),
                Happening::Die(nth) => {
                    let names: Vec<_> = world.alive.keys().cloned().collect();
                    if let Some(name) = names.get(nth % names.len().max(1)) {
                        let lost = world.alive.remove(name).unwrap_or(0);
                        world.jobs += u64::from(lost);
                    }
                }
                Happening::Foreign => {
                    let name: WorkerName = format!("cpu-f{}", world.foreign.len()).parse().expect("a name");
                    world.foreign.insert(name.clone());
                    world.alive.insert(name, 0);
                }
                Happening::Person(nth) => {
                    let names: Vec<_> = world.alive.keys().cloned().collect();
                    if let Some(name) = names.get(nth % names.len().max(1))
                        && !world.drained.remove(name)
                    {
                        world.drained.insert(name.clone());
                    }
                }
                Happening::Restart => {
                    let stored = serde_json::to_vec(&world.record).expect("plain data");
                    world.record = serde_json::from_slice(&stored).expect("the same");
                }
                Happening::Look => { world.look(); }
            }
        }
        // People interfere no more.
        world.drained.clear();
        for _ in 0..200 {
            world.look();
            world.boot();
            world.work();
            world.pass(61);
            world.finish();
        }
        prop_assert_eq!(world.jobs, 0);
        for _ in 0..100 {
            world.look();
            world.boot();
            world.pass(61);
        }
        let own = world.alive.keys().filter(|name| !world.foreign.contains(*name)).count();
        prop_assert_eq!(own, rules.min as usize, "{:#?}", world.record);
        let left: Vec<_> = world.drained.iter().filter(|name| !world.alive.contains_key(*name)).collect();
        prop_assert!(left.is_empty(), "orders are left behind: {:?}", left);
        for name in &world.foreign {
            prop_assert!(world.alive.contains_key(name) || !world.record.workers.contains_key(name));
        }
    }
}
