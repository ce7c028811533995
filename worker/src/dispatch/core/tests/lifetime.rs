//! Workers that end by themselves.

use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;

use crate::dispatch::core::event::{Event, NoAnswer};
use crate::dispatch::core::lifetime::Limits;
use crate::dispatch::core::tests::MINUTE;
use crate::dispatch::core::tests::world::{World, job, lane};
use crate::work::AttemptEnd;

fn ends_when_idle() -> World {
    let limits = Limits {
        idle: Some(MINUTE),
        total_jobs: None,
    };
    let mut world = World::limited(2, limits);
    world.lanes.insert(lane(5));
    world
}

fn of_jobs(slots: usize, total: u32) -> World {
    let limits = Limits {
        idle: None,
        total_jobs: NonZeroU32::new(total),
    };
    let mut world = World::limited(slots, limits);
    world.lanes.insert(lane(5));
    world
}

#[test]
fn a_worker_that_is_idle_for_long_ends_and_a_busy_one_does_not() {
    let mut world = ends_when_idle();
    world.give(1);
    world.settle(MINUTE * 10);
    assert_eq!(world.running.len(), 1);
    assert!(!world.core.is_stopping());
    world.end_first(AttemptEnd::Completed);
    world.settle(MINUTE - Duration::from_secs(1));
    assert!(
        !world.core.is_stopping(),
        "its last job ended less than a minute ago"
    );
    world.settle(Duration::from_secs(2));
    assert!(world.core.is_finished());
}

#[test]
fn whatever_keeps_it_from_work_it_ends_when_idle() {
    let mut world = ends_when_idle();
    world.settle(Duration::from_secs(1));
    world.order(true, None);
    world.give(1);
    world.settle(MINUTE + Duration::from_secs(1));
    assert!(world.core.is_finished(), "drained");
}

#[test]
fn a_job_that_a_late_poll_has_claimed_is_run() {
    let mut world = ends_when_idle();
    world.settle(MINUTE - Duration::from_secs(1));
    world.tell(Event::Wakeup(Some(lane(5))));
    assert!(world.poll.is_some());
    // The broker is slow to answer.
    world.pass(MINUTE);
    assert!(!world.core.is_stopping(), "the poll may have claimed a job");
    world.answer_poll(Ok(vec![job(1, false)]));
    assert_eq!((world.running.len(), world.released), (1, 0));
    world.end_first(AttemptEnd::Completed);
    world.settle(MINUTE * 2);
    assert!(world.core.is_finished());
}

#[test]
fn a_broker_that_gives_no_answer_does_not_keep_an_idle_worker() {
    let mut world = ends_when_idle();
    for _ in 0..200 {
        world.answer_poll(Err(NoAnswer));
        world.pass(Duration::from_secs(1));
    }
    assert!(world.core.is_finished());
}

#[test]
fn a_worker_of_one_job_takes_one_and_ends_with_it() {
    let mut world = of_jobs(2, 1);
    world.give(3);
    world.settle(MINUTE);
    assert_eq!(world.running.len(), 1);
    assert_eq!(world.released, 0, "it asked for one job");
    let polls = world.polls;
    world.tell(Event::Wakeup(Some(lane(5))));
    world.settle(MINUTE);
    assert_eq!(world.polls, polls);
    world.end_first(AttemptEnd::Completed);
    assert!(world.core.is_finished(), "at once");
}

proptest! {
    #[test]
    fn no_worker_starts_more_jobs_than_it_may(
        slots in 1_usize..5,
        total in 1_u32..8,
        given in proptest::collection::vec(0_usize..4, 1..20),
    ) {
        let mut world = of_jobs(slots, total);
        let (mut all, mut started) = (0, 0);
        for jobs in given {
            all += jobs;
            world.give(jobs);
            world.tell(Event::Wakeup(Some(lane(5))));
            world.settle(MINUTE);
            started += world.running.len();
            while !world.running.is_empty() {
                world.end_first(AttemptEnd::Completed);
                // Another may have started in its place.
                let before = world.running.len();
                world.settle(MINUTE);
                started += world.running.len() - before;
            }
        }
        let total = total as usize;
        prop_assert_eq!(started, all.min(total));
        prop_assert_eq!(world.core.is_finished(), all >= total);
        prop_assert_eq!(world.released, 0);
    }
}
