//! A worker's surroundings as the rules see them: requests under way, running jobs, and the invariants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use common::farm::orders::{Order, Orders, Target};
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker::WorkerStatus;
use common::job::failure::Fault;
use common::job::id::JobId;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::dispatch::core::availability::WorkingHours;
use crate::dispatch::core::event::{
    Action, Activity, Claimed, Event, NoAnswer, Now, ProofId, Search, Slot,
};
use crate::dispatch::core::health::Health;
use crate::dispatch::core::lifetime::Limits;
use crate::dispatch::core::{Core, Settings};
use crate::report::availability::Availability;
use crate::work::AttemptEnd;

const LEASE: Duration = Duration::from_secs(30);

/// A lane that the worker serves.
pub(super) fn lane(priority: u8) -> Lane {
    Lane {
        priority: Priority::try_from(priority).expect("from 1 to 10"),
        queue: "libx264".parse().expect("a queue"),
    }
}

pub(super) fn job(number: u32, is_suspect: bool) -> Claimed<u32> {
    Claimed {
        job: number,
        is_suspect,
    }
}

pub(super) fn failed(fault: Fault) -> AttemptEnd {
    AttemptEnd::Failed { fault, by: None }
}

/// A poll under way.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) lanes: Vec<Lane>,
    pub(super) free: usize,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) core: Core<u32>,
    pub(super) now: Now,
    slots: usize,
    served: Vec<Queue>,
    /// The lanes that the broker has.
    pub(super) lanes: BTreeSet<Lane>,
    pub(super) has_work: bool,
    /// The jobs that the next polls claim.
    waiting: VecDeque<bool>,
    controls: Orders,
    announced: Option<Availability>,
    is_stopping: bool,
    is_listening: bool,
    // What is under way.
    pub(super) poll: Option<Poll>,
    pub(super) opening: Option<Vec<Lane>>,
    search: Option<Search>,
    is_checking: bool,
    is_joining: bool,
    pub(super) proof: Option<(ProofId, bool)>,
    pub(super) running: BTreeMap<Slot, bool>,
    // What was counted.
    pub(super) polls: usize,
    /// The last poll that asked each lane.
    pub(super) asked: BTreeMap<Lane, usize>,
    pub(super) requests: usize,
    pub(super) released: usize,
    pub(super) lifts: Vec<bool>,
    jobs: u32,
}

impl World {
    pub(super) fn new(slots: usize) -> Self {
        Self::limited(slots, Limits::default())
    }

    /// A worker that ends by itself.
    pub(super) fn limited(slots: usize, limits: Limits) -> Self {
        let now = Now {
            at: Instant::now(),
            utc: "2026-03-01T12:00:00Z".parse().expect("a time"),
            chance: 0.5,
        };
        let settings = Settings {
            working_hours: WorkingHours {
                name: "w1".parse().expect("a name"),
                hours: None,
                zone: TimeZone::UTC,
            },
            slots,
            drain_timeout: Duration::from_secs(60),
            limits,
        };
        let served = vec![lane(1).queue];
        let health = Health::new(2, Duration::from_secs(60));
        let controls = Orders::default();
        let core = Core::new(settings, health, controls.clone(), served.clone(), &now);
        let mut world = Self {
            core,
            now,
            slots,
            served,
            lanes: BTreeSet::new(),
            has_work: false,
            waiting: VecDeque::new(),
            controls,
            announced: None,
            is_stopping: false,
            is_listening: false,
            poll: None,
            opening: None,
            search: None,
            is_checking: false,
            is_joining: false,
            proof: None,
            running: BTreeMap::new(),
            polls: 0,
            asked: BTreeMap::new(),
            requests: 0,
            released: 0,
            lifts: Vec::new(),
            jobs: 0,
        };
        world.tell(Event::Tick);
        world
    }

    fn status(&self) -> Option<WorkerStatus> {
        self.announced.as_ref().map(|announced| announced.status)
    }

    pub(super) fn is_quarantined(&self) -> bool {
        self.status() == Some(WorkerStatus::Quarantined)
    }

    /// Whether a job may be started, as seen from outside.
    pub(super) fn has_room(&self) -> bool {
        let has_suspect = self.running.values().any(|is_suspect| *is_suspect);
        self.status() == Some(WorkerStatus::Ready)
            && self.proof.is_none()
            && !has_suspect
            && self.running.len() < self.slots
    }

    /// Sets the number of waiting jobs.
    pub(super) fn give(&mut self, jobs: usize) {
        self.waiting.extend(std::iter::repeat_n(false, jobs));
    }

    /// A suspect waits.
    pub(super) fn give_suspect(&mut self) {
        self.waiting.push_back(true);
    }

    pub(super) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// No more wake-ups arrive.
    pub(super) fn lose_wakeups(&mut self) {
        if std::mem::take(&mut self.is_listening) {
            self.tell(Event::Listening(Err(NoAnswer)));
        }
    }

    /// Passes an event to the rules, and checks the invariants.
    pub(super) fn tell(&mut self, event: Event<u32>) {
        let claims = match &event {
            Event::PollDone(Ok(claims)) => claims.len(),
            _ => 0,
        };
        let may_end_quarantine = matches!(
            event,
            Event::LiftAsked
                | Event::Proved {
                    outcome: Ok(()),
                    ..
                }
                | Event::Shutdown { .. }
        );
        let was_quarantined = self.is_quarantined();
        self.is_stopping |= matches!(event, Event::Shutdown { .. });
        if let Event::OrdersChanged(controls) = &event {
            self.controls = controls.clone();
        }
        let told = format!("{event:?}");
        let actions = self.core.next(&self.now, event);
        assert!(actions.len() <= 12 + claims, "{told}: {actions:#?}");
        let (mut started, mut released) = (0, 0);
        for action in actions {
            started += usize::from(matches!(action, Action::Start(..)));
            released += usize::from(matches!(action, Action::Release(_)));
            self.carry_out(action, &told);
        }
        assert_eq!(started + released, claims, "{told}: no claim is forgotten");
        assert_eq!(self.core.running(), self.running.len());
        if was_quarantined && !may_end_quarantine {
            assert!(self.is_quarantined(), "{told} ends the quarantine");
        }
        if let Some(wake) = self.core.wake_at(&self.now) {
            assert!(wake > self.now.at, "{told}: a busy loop");
        }
    }

    fn carry_out(&mut self, action: Action<u32>, told: &str) {
        if self.is_stopping {
            let is_over = matches!(
                action,
                Action::StopListening
                    | Action::Hurry(_)
                    | Action::Release(_)
                    | Action::AbandonProof
                    | Action::AnswerLift { .. }
                    | Action::Announce(_)
                    | Action::StopJobs(_)
            );
            assert!(is_over, "{told}: {action:?} while it stops");
        }
        match action {
            Action::Poll { lanes, free, .. } => {
                assert!(self.poll.is_none(), "{told}: two polls at once");
                assert!(
                    self.has_room(),
                    "{told}: a poll of a worker that takes no job"
                );
                let target = Target::Worker("w1".parse().expect("a name"));
                assert!(!self.controls.is_paused(&target), "{told}: it is drained");
                let order = self.controls.order(&target);
                if let Some(hours) = order.and_then(|order| order.hours.as_ref()) {
                    let now = self.now.utc.to_zoned(TimeZone::UTC);
                    assert!(hours.include(&now), "{told}: outside its hours");
                }
                assert!(free > 0 && free + self.running.len() <= self.slots);
                let is_served = |lane: &Lane| self.served.contains(&lane.queue);
                assert!(lanes.iter().all(is_served), "{told}: {lanes:?}");
                self.polls += 1;
                self.asked
                    .extend(lanes.iter().map(|lane| (lane.clone(), self.polls)));
                self.requests += 1;
                self.poll = Some(Poll { lanes, free });
            }
            Action::Hurry(_) => assert!(self.poll.is_some(), "{told}: no poll to hurry"),
            Action::CheckActivity(_) => {
                assert!(!std::mem::replace(&mut self.is_checking, true));
                self.requests += 1;
            }
            Action::Listen(_) => {
                assert!(!self.is_listening && !std::mem::replace(&mut self.is_joining, true));
            }
            Action::StopListening => {
                assert!(std::mem::replace(&mut self.is_listening, false), "{told}");
            }
            Action::OpenLanes(lanes) => {
                assert!(self.opening.replace(lanes).is_none());
                self.requests += 1;
            }
            Action::Search(search) => {
                assert!(self.search.replace(search).is_none());
                self.requests += 1;
            }
            Action::Start(slot, job) => {
                let is_suspect = job >= SUSPECTS;
                assert!(self.running.insert(slot, is_suspect).is_none());
                assert!(self.running.len() <= self.slots, "{told}: too many jobs");
            }
            Action::Release(_) => self.released += 1,
            Action::Prove(proof, _) => assert!(self.proof.replace((proof, false)).is_none()),
            Action::ProveAgain(proof, _) => {
                assert!(self.is_quarantined(), "{told}: a try without a quarantine");
                assert!(self.proof.replace((proof, true)).is_none());
            }
            Action::AbandonProof => assert!(self.proof.take().is_some()),
            Action::AnswerLift { was_quarantined } => self.lifts.push(was_quarantined),
            Action::Announce(availability) => self.announced = Some(availability),
            Action::StopJobs(_) => self.is_stopping = true,
        }
    }

    pub(super) fn answer_poll(&mut self, claims: Result<Vec<Claimed<u32>>, NoAnswer>) {
        if self.poll.take().is_some() {
            self.tell(Event::PollDone(claims));
        }
    }

    /// The poll claims the waiting jobs.
    pub(super) fn end_poll(&mut self) {
        let free = self.poll.as_ref().map_or(0, |poll| poll.free);
        let mut claims = Vec::new();
        while claims.len() < free
            && let Some(is_suspect) = self.waiting.pop_front()
        {
            self.jobs += 1;
            let number = self.jobs + if is_suspect { SUSPECTS } else { 0 };
            claims.push(job(number, is_suspect));
        }
        self.answer_poll(Ok(claims));
    }

    pub(super) fn answer_open(&mut self, is_well: bool) {
        if let Some(lanes) = self.opening.take() {
            let opened = if is_well { Ok(lanes) } else { Err(NoAnswer) };
            self.tell(Event::LanesOpened(opened));
        }
    }

    pub(super) fn answer_search(&mut self, is_well: bool) {
        if self.search.take().is_some() {
            let lanes = self.lanes.iter().cloned().collect();
            let found = if is_well { Ok(lanes) } else { Err(NoAnswer) };
            self.tell(Event::SearchDone(found));
        }
    }

    pub(super) fn answer_check(&mut self, is_well: bool) {
        if std::mem::take(&mut self.is_checking) {
            let activity = Activity {
                has_work: self.has_work,
                lease: Some(LEASE),
            };
            let checked = if is_well { Ok(activity) } else { Err(NoAnswer) };
            self.tell(Event::ActivityChecked(checked));
        }
    }

    pub(super) fn answer_listen(&mut self, is_well: bool) {
        if std::mem::take(&mut self.is_joining) {
            self.is_listening = is_well;
            let joined = if is_well { Ok(()) } else { Err(NoAnswer) };
            self.tell(Event::Listening(joined));
        }
    }

    pub(super) fn answer_proof(&mut self, outcome: Result<(), String>) {
        if let Some((proof, _)) = self.proof.take() {
            let queues = self.served.clone();
            self.tell(Event::Proved {
                proof,
                outcome,
                queues,
            });
        }
    }

    /// The nth of the running jobs ends.
    pub(super) fn end(&mut self, nth: usize, end: AttemptEnd) {
        if self.running.is_empty() {
            return;
        }
        let slots: Vec<Slot> = self.running.keys().copied().collect();
        let slot = slots[nth % slots.len()];
        self.running.remove(&slot);
        self.jobs += 1;
        let id = uuid::Uuid::from_u128(self.jobs.into());
        let id: JobId = id.to_string().parse().expect("an id");
        self.tell(Event::JobEnded(slot, Some((id, end))));
    }

    pub(super) fn end_first(&mut self, end: AttemptEnd) {
        self.end(0, end);
    }

    pub(super) fn die(&mut self, slot: Slot) {
        self.running.remove(&slot);
        self.tell(Event::JobEnded(slot, None));
    }

    pub(super) fn order(&mut self, paused: bool, hours: Option<&str>) {
        let target = Target::Worker("w1".parse().expect("a name"));
        let order = Order {
            paused,
            hours: hours.map(|text| text.parse().expect("hours")),
            since: self.now.utc,
        };
        self.tell(Event::OrdersChanged(
            [(target, order)].into_iter().collect(),
        ));
    }

    /// Every request succeeds; returns whether there was any.
    pub(super) fn answer_all(&mut self) -> bool {
        let is_any = self.poll.is_some()
            || self.opening.is_some()
            || self.search.is_some()
            || self.is_checking
            || self.is_joining;
        self.answer_open(true);
        self.answer_search(true);
        self.answer_check(true);
        self.answer_listen(true);
        self.end_poll();
        is_any
    }

    /// Time passes up to the next due action, at most `longest`.
    pub(super) fn step(&mut self, longest: Duration) -> Duration {
        let due = self
            .core
            .wake_at(&self.now)
            .unwrap_or(self.now.at + longest);
        let step = (due - self.now.at).min(longest);
        self.now.at += step;
        self.now.utc += step;
        self.now.chance = (self.now.chance + 0.37).fract();
        self.tell(Event::Tick);
        step
    }

    /// Time passes, and no request is answered.
    pub(super) fn pass(&mut self, mut time: Duration) {
        while !time.is_zero() {
            time -= self.step(time);
        }
    }

    /// Time passes, and each request is answered at once.
    pub(super) fn settle(&mut self, mut time: Duration) {
        loop {
            while self.answer_all() {}
            if time.is_zero() {
                return;
            }
            time -= self.step(time);
        }
    }
}

/// Jobs of these numbers are suspects.
const SUSPECTS: u32 = 1 << 30;
