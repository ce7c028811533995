//! Events in any order. [`World::tell`] checks the invariants at each event; the tests here check what must happen in
//! the end.

use std::time::Duration;

use common::job::failure::Fault;
use proptest::prelude::*;

use crate::dispatch::core::event::{Event, NoAnswer};
use crate::dispatch::core::tests::world::{World, failed, lane};
use crate::work::AttemptEnd;

const SLOTS: usize = 3;
/// The number of answers and waits after which a wake-up has led to a poll.
const STEPS: usize = 24;

/// An event of the world.
#[derive(Clone, Debug)]
enum Step {
    Wakeup(u8),
    WakeupOfUnknownLane,
    LaneMade(u8),
    LaneRemoved(u8),
    ForeignLaneMade,
    Jobs {
        plain: usize,
        suspects: usize,
    },
    Work(bool),
    PollEnds(bool),
    OpenEnds(bool),
    SearchEnds(bool),
    CheckEnds(bool),
    ListenEnds(bool),
    ProofEnds(bool),
    JobEnds(usize, u8),
    JobDies(usize),
    Order {
        paused: bool,
        hours: u8,
    },
    PlacesChange,
    Lift,
    Reconnect,
    /// No wake-up arrives after this one.
    WakeupsEnd,
    Wait(u64),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let is_well = || prop::bool::weighted(0.8);
    prop_oneof![
        3 => (1_u8..=10).prop_map(Wakeup),
        1 => Just(WakeupOfUnknownLane),
        2 => (1_u8..=10).prop_map(LaneMade),
        1 => (1_u8..=10).prop_map(LaneRemoved),
        1 => Just(ForeignLaneMade),
        3 => (0_usize..4, 0_usize..2).prop_map(|(plain, suspects)| Jobs { plain, suspects }),
        1 => any::<bool>().prop_map(Work),
        6 => is_well().prop_map(PollEnds),
        3 => is_well().prop_map(OpenEnds),
        2 => is_well().prop_map(SearchEnds),
        2 => is_well().prop_map(CheckEnds),
        2 => is_well().prop_map(ListenEnds),
        2 => any::<bool>().prop_map(ProofEnds),
        4 => (any::<usize>(), 0_u8..4).prop_map(|(nth, how)| JobEnds(nth, how)),
        1 => any::<usize>().prop_map(JobDies),
        1 => (prop::bool::weighted(0.3), 0_u8..3).prop_map(|(paused, hours)| Order { paused, hours }),
        1 => Just(PlacesChange),
        1 => Just(Lift),
        1 => Just(Reconnect),
        1 => Just(WakeupsEnd),
        3 => (1_u64..200_000).prop_map(Wait),
        4 => Just(Tick),
    ]
}

impl World {
    fn happen(&mut self, step: &Step) {
        match *step {
            Step::Wakeup(priority) => {
                self.lanes.insert(lane(priority));
                let before = self.polls;
                self.tell(Event::Wakeup(Some(lane(priority))));
                self.assert_that_a_poll_follows(before, priority);
            }
            Step::WakeupOfUnknownLane => self.tell(Event::Wakeup(None)),
            Step::LaneMade(priority) => {
                self.lanes.insert(lane(priority));
                self.tell(Event::LaneMade(lane(priority)));
            }
            Step::LaneRemoved(priority) => {
                self.lanes.remove(&lane(priority));
            }
            Step::ForeignLaneMade => {
                let mut foreign = lane(9);
                foreign.queue = "av1_qsv".parse().expect("a queue");
                self.lanes.insert(foreign.clone());
                self.tell(Event::LaneMade(foreign.clone()));
                self.tell(Event::Wakeup(Some(foreign)));
            }
            Step::Jobs { plain, suspects } => {
                self.give(plain);
                (0..suspects).for_each(|_| self.give_suspect());
            }
            Step::Work(has_work) => self.has_work = has_work,
            Step::PollEnds(true) => self.end_poll(),
            Step::PollEnds(false) => self.answer_poll(Err(NoAnswer)),
            Step::OpenEnds(is_well) => self.answer_open(is_well),
            Step::SearchEnds(is_well) => self.answer_search(is_well),
            Step::CheckEnds(is_well) => self.answer_check(is_well),
            Step::ListenEnds(is_well) => self.answer_listen(is_well),
            Step::ProofEnds(true) => self.answer_proof(Ok(())),
            Step::ProofEnds(false) => self.answer_proof(Err("no device".to_owned())),
            Step::JobEnds(nth, how) => self.end(
                nth,
                match how {
                    0 => AttemptEnd::Completed,
                    1 => AttemptEnd::Gone,
                    2 => failed(Fault::Input),
                    _ => failed(Fault::Worker),
                },
            ),
            Step::JobDies(nth) => {
                let slots: Vec<_> = self.running.keys().copied().collect();
                if !slots.is_empty() {
                    self.die(slots[nth % slots.len()]);
                }
            }
            Step::Order { paused, hours } => {
                let all = [None, Some("08:00-16:00"), Some("22:00-06:00")];
                self.order(paused, all[usize::from(hours)]);
            }
            Step::PlacesChange => self.tell(Event::PlacesChanged),
            Step::Lift => self.tell(Event::LiftAsked),
            Step::Reconnect => self.tell(Event::Reconnected),
            Step::WakeupsEnd => self.lose_wakeups(),
            Step::Wait(millis) => self.pass(Duration::from_millis(millis)),
            Step::Tick => {
                self.step(Duration::from_secs(60));
            }
        }
    }

    /// If a slot is free, a poll that began after the wake-up asks its lane, once the broker answers.
    fn assert_that_a_poll_follows(&self, before: usize, priority: u8) {
        let mut world = self.clone();
        for _ in 0..STEPS {
            if !world.has_room() {
                return;
            }
            // A poll that was under way before may have asked the lane already.
            let asked = world.asked.get(&lane(priority));
            if asked.is_some_and(|poll| *poll > before) {
                return;
            }
            if !world.answer_all() {
                world.step(Duration::from_secs(60));
            }
        }
        panic!("no poll of lane {priority} after its wake-up");
    }

    /// A stopping worker ends once its running jobs have ended.
    fn assert_that_it_stops(mut self, is_connected: bool) {
        self.tell(Event::Shutdown { is_connected });
        self.tell(Event::Wakeup(Some(lane(5))));
        self.tell(Event::LaneMade(lane(6)));
        self.tell(Event::Reconnected);
        self.tell(Event::Tick);
        self.give(2);
        self.answer_all();
        while !self.running.is_empty() {
            self.end_first(failed(Fault::Worker));
        }
        assert!(self.core.is_finished());
        assert_eq!(self.core.wake_at(&self.now), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_rules_hold_whatever_happens(
        steps in prop::collection::vec(step(), 1..120),
        is_connected: bool,
    ) {
        let mut world = World::new(SLOTS);
        for step in &steps {
            world.happen(step);
        }
        world.clone().assert_that_it_stops(is_connected);
        // Once all requests are answered, every slot that may be used is in use.
        world.order(false, None);
        if world.is_quarantined() {
            world.tell(Event::LiftAsked);
        }
        world.answer_proof(Ok(()));
        while !world.running.is_empty() {
            world.end_first(AttemptEnd::Completed);
        }
        world.lanes.insert(lane(5));
        world.forget_waiting();
        world.give(SLOTS);
        world.tell(Event::Wakeup(Some(lane(5))));
        world.settle(Duration::from_secs(120));
        prop_assert_eq!(world.running.len(), SLOTS);
    }
}
