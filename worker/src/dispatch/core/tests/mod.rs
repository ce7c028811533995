//! Tests of the rules alone: single cases here, random orders of events in [`any_order`].

mod any_order;
mod lifetime;
mod world;

use std::time::Duration;

use common::job::failure::Fault;

use crate::dispatch::core::event::{Action, Event};
use crate::dispatch::core::tests::world::{World, failed, job, lane};
use crate::work::AttemptEnd;

const MINUTE: Duration = Duration::from_secs(60);

/// An idle worker with two slots that knows the lane 5 and listens.
fn idle() -> World {
    let mut world = World::new(2);
    world.lanes.insert(lane(5));
    world.settle(MINUTE);
    world
}

#[test]
fn an_idle_worker_of_an_idle_farm_asks_the_broker_a_few_times_a_minute() {
    let mut world = idle();
    let before = world.requests;
    world.settle(60 * MINUTE);
    let an_hour = world.requests - before;
    // A check each 10 s, a search each 45 s.
    assert!((300..500).contains(&an_hour), "{an_hour} requests");
}

#[test]
fn while_jobs_are_held_it_polls_often_enough_to_take_over_within_a_second() {
    let mut world = idle();
    world.has_work = true;
    world.settle(MINUTE);
    let before = world.polls;
    world.settle(MINUTE);
    let polls = world.polls - before;
    assert!((60..=120).contains(&polls), "{polls} polls in a minute");
}

#[test]
fn a_slot_that_frees_goes_to_the_lane_that_was_made_meanwhile() {
    let mut world = idle();
    world.give(2);
    world.tell(Event::Wakeup(Some(lane(5))));
    world.settle(MINUTE);
    assert_eq!(world.running.len(), 2);
    let polls = world.polls;
    world.lanes.insert(lane(10));
    world.tell(Event::LaneMade(lane(10)));
    world.settle(MINUTE);
    assert_eq!(world.polls, polls, "it is full");
    world.end_first(AttemptEnd::Completed);
    let polled = world.poll.clone().expect("at once");
    assert_eq!(polled.lanes.first(), Some(&lane(10)), "and it comes first");
}

#[test]
fn a_poll_waits_a_moment_for_a_lane_that_is_being_opened_and_no_longer() {
    let mut world = idle();
    world.tell(Event::LaneMade(lane(10)));
    assert!(world.poll.is_none() && world.opening.is_some());
    // The broker does not answer.
    let polls = world.polls;
    world.pass(Duration::from_secs(3));
    assert!(world.polls > polls, "the lanes that are known");
    world.answer_open(true);
    world.answer_poll(Ok(Vec::new()));
    let polled = world.poll.clone().expect("once more");
    assert!(polled.lanes.contains(&lane(10)));
}

#[test]
fn a_task_that_dies_frees_its_slot_and_clears_no_other_suspect() {
    let mut world = World::new(3);
    world.lanes.insert(lane(5));
    world.give(1);
    world.settle(MINUTE);
    world.give_suspect();
    world.tell(Event::Wakeup(Some(lane(5))));
    world.settle(MINUTE);
    let suspect = world.running.iter().find(|(_, is_suspect)| **is_suspect);
    let suspect = *suspect.expect("it runs").0;
    let other = *world
        .running
        .keys()
        .find(|slot| **slot != suspect)
        .expect("beside it");
    world.die(other);
    world.settle(MINUTE);
    assert_eq!(world.running.len(), 1, "its slot is free");
    let polls = world.polls;
    world.tell(Event::Wakeup(Some(lane(5))));
    world.settle(MINUTE);
    assert_eq!(world.polls, polls, "the suspect has the worker to itself");
    world.die(suspect);
    world.settle(MINUTE);
    assert!(world.polls > polls);
}

#[test]
fn of_several_suspects_one_is_started_and_all_else_is_released() {
    let mut world = World::new(3);
    world.lanes.insert(lane(5));
    world.give(1);
    world.give_suspect();
    world.give_suspect();
    world.settle(MINUTE);
    assert_eq!(world.running.values().copied().collect::<Vec<_>>(), [true]);
    assert_eq!(world.released, 2);
}

/// Two jobs fail by the worker's fault, and so does the proof encode.
fn quarantined() -> World {
    let mut world = idle();
    world.give(2);
    world.tell(Event::Wakeup(Some(lane(5))));
    world.settle(MINUTE);
    world.end_first(failed(Fault::Worker));
    world.settle(Duration::from_secs(1));
    world.end_first(failed(Fault::Worker));
    let (_, is_again) = world.proof.expect("a proof encode");
    assert!(!is_again && world.poll.is_none(), "in doubt");
    world.answer_proof(Err("no device".to_owned()));
    world
}

#[test]
fn a_quarantine_outlasts_every_try_that_has_not_passed() {
    let mut world = quarantined();
    assert!(world.is_quarantined());
    let polls = world.polls;
    // The rest is over, and the try takes longer than any rest.
    world.pass(10 * MINUTE);
    assert!(world.proof.is_some_and(|(_, is_again)| is_again));
    world.pass(10 * MINUTE);
    assert!(world.is_quarantined());
    world.tell(Event::Wakeup(Some(lane(5))));
    assert_eq!(world.polls, polls, "no poll, whatever the clock says");
    world.answer_proof(Err("no device".to_owned()));
    world.pass(10 * MINUTE);
    assert!(world.is_quarantined() && world.proof.is_some());
    world.answer_proof(Ok(()));
    assert!(!world.is_quarantined());
    assert!(world.poll.is_some(), "at once");
}

#[test]
fn a_person_ends_a_quarantine_at_once_and_a_late_try_says_nothing_more() {
    let mut world = quarantined();
    world.pass(10 * MINUTE);
    let late = world.proof.expect("a try");
    world.tell(Event::LiftAsked);
    assert_eq!(world.lifts, [true]);
    assert!(!world.is_quarantined() && world.proof.is_none());
    world.proof = Some(late);
    world.answer_proof(Err("no device".to_owned()));
    assert!(!world.is_quarantined(), "it decides nothing any more");
    world.tell(Event::LiftAsked);
    assert_eq!(world.lifts, [true, false]);
}

#[test]
fn what_a_poll_has_claimed_is_released_where_the_worker_may_start_nothing_by_then() {
    let mut world = idle();
    world.tell(Event::Wakeup(None));
    assert!(world.poll.is_some());
    world.tell(Event::Shutdown { is_connected: true });
    world.answer_poll(Ok(vec![job(1, false)]));
    assert_eq!(world.released, 1);
    assert!(world.running.is_empty() && world.core.is_finished());
}

#[test]
fn a_worker_that_is_cut_off_stops_its_jobs_at_once() {
    for (is_connected, time) in [(true, MINUTE), (false, Duration::ZERO)] {
        let mut world = idle();
        let now = world.now;
        let actions = world.core.next(&now, Event::Shutdown { is_connected });
        let deadline = actions.iter().find_map(|action| match action {
            Action::StopJobs(deadline) => Some(*deadline),
            _ => None,
        });
        assert_eq!(deadline, Some(now.at + time));
    }
}
