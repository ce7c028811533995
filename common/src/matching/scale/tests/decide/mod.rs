//! An autoscaler in a made-up farm: rules by example here, then anything in any order in [`any_order`].

mod any_order;
mod untaken;
mod world;

use crate::farm::orders::Orders;
use crate::farm::worker_name::WorkerName;
use crate::matching::scale::Class;
use crate::matching::scale::autoscaler::Rules;
use crate::matching::scale::decide::{Seen, Step};
use crate::matching::scale::tests::decide::world::{RULES, World};

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
