//! Jobs in the queues of a class that its workers do not take.

use crate::matching::scale::autoscaler::Rules;
use crate::matching::scale::tests::decide::starts;
use crate::matching::scale::tests::decide::world::{RULES, World};

/// Looks every ten seconds, as an autoscaler does. Workers appear and take jobs in between. Returns how many were
/// started, and the most that were there at once.
fn live(world: &mut World, minutes: u32) -> (usize, usize) {
    let (mut started, mut most) = (0, 0);
    for _ in 0..minutes * 6 {
        started += starts(&world.look());
        world.boot();
        world.work();
        most = most.max(world.alive.len());
        world.pass(10);
    }
    (started, most)
}

#[test]
fn workers_that_take_nothing_are_ended_and_one_tries_again_ever_more_seldom() {
    let mut world = World::new(RULES);
    world.unfit = 5;
    assert_eq!(live(&mut world, 4), (5, 5));
    assert_eq!(world.alive.len(), 0, "they cost money for nothing");
    let told = &world.record.decisions;
    let reason = told.iter().find(|told| told.reason.contains("5 waiting"));
    assert!(
        reason.is_some_and(|told| told.action.contains("try")),
        "{told:?}"
    );
    // Tries after 5, 10, 20, 40 minutes and then each hour.
    let (started, most) = live(&mut world, 6 * 60);
    assert!((5..=10).contains(&started), "{started} were started");
    assert_eq!(most, 1);
}

#[test]
fn jobs_that_fit_are_done_meanwhile() {
    let mut world = World::new(RULES);
    world.unfit = 5;
    live(&mut world, 4);
    world.jobs = 2;
    assert_eq!(live(&mut world, 1), (2, 2));
    assert_eq!(world.jobs, 0);
    world.finish();
    live(&mut world, 4);
    assert!(world.alive.len() <= 1, "{}", world.alive.len());
}

#[test]
fn a_trickle_of_jobs_that_fit_starts_a_worker_for_each_and_no_more() {
    let mut world = World::new(RULES);
    world.unfit = 5;
    live(&mut world, 4);
    let mut started = 0;
    for _ in 0..10 {
        world.jobs += 1;
        started += live(&mut world, 4).0;
        world.finish();
        started += live(&mut world, 4).0;
    }
    // One for each of ten jobs, and the tries of 80 minutes.
    assert!((10..=16).contains(&started), "{started} were started");
}

#[test]
fn all_workers_come_once_a_try_has_taken_one() {
    let mut world = World::new(RULES);
    world.unfit = 5;
    live(&mut world, 4);
    // A person has changed the settings of new workers.
    world.jobs = std::mem::take(&mut world.unfit);
    let (started, most) = live(&mut world, 6);
    assert_eq!((world.jobs, started, most), (0, 5, 5));
    assert!(world.record.untaken.is_nothing());
}

#[test]
fn workers_that_end_by_themselves_are_not_started_over_and_over() {
    let mut world = World::new(RULES);
    world.unfit = 5;
    let mut started = 0;
    for _ in 0..4 * 60 {
        for _ in 0..3 {
            started += starts(&world.look());
            world.boot();
            world.pass(10);
        }
        // Each has been idle for 20 s.
        world.alive.clear();
        started += starts(&world.look());
        world.pass(10);
    }
    assert!(started < 60, "{started} were started in 160 minutes");
}

#[test]
fn the_least_that_is_kept_is_kept() {
    let mut world = World::new(Rules { min: 2, ..RULES });
    world.unfit = 5;
    live(&mut world, 60);
    assert_eq!(world.alive.len(), 2);
}

#[test]
fn a_farm_that_is_busy_all_the_time_leaves_nothing_lying() {
    let mut world = World::new(RULES);
    for _ in 0..100 {
        world.jobs += 3;
        world.look();
        world.boot();
        world.work();
        world.look();
        world.pass(10);
        world.finish();
    }
    assert_eq!(world.record.untaken.jobs, 0, "{:?}", world.record.untaken);
}
