//! When to poll, and when to listen for wake-ups instead.
//!
//! A worker whose poll claims nothing joins the queue group of each of its queues, so that one wake-up reaches one
//! idle worker. Then it polls again, because it missed the wake-up of a job that was published in between. A worker
//! without room leaves the groups.
//!
//! No wake-up announces a lease that ran out. So an idle worker polls often while jobs of its lanes run, and checks
//! several times within a lease whether any do. A farm without work costs its broker next to nothing.

use std::time::Duration;

use common::broker::PollEffort;
use common::farm::queue::Lane;
use tokio::time::Instant;

use crate::dispatch::core::event::{Action, Activity, NoAnswer, Now, WakeLanes};
use crate::dispatch::core::lanes::KnownLanes;

/// Shortest and longest wait of an idle worker between two polls while jobs run: a job whose lease ran out starts
/// elsewhere within 1 s.
const BETWEEN_POLLS: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(900)];
/// How often within a lease an idle worker checks whether jobs run.
const CHECKS_PER_LEASE: u32 = 3;
/// Longest time between two checks: a wake-up may be lost with its listener.
const LONGEST_CHECK: Duration = Duration::from_secs(10);
/// Shortest time between two checks; leases are longer.
const SHORTEST_CHECK: Duration = Duration::from_millis(100);
/// Wait after a request without an answer.
const TROUBLE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct Polling {
    /// The effort of the poll under way.
    poll: Option<PollEffort>,
    is_checking: bool,
    listening: Listening,
    /// Whether the last poll may have missed something.
    is_disturbed: bool,
    wake: WakeLanes,
    /// The time of the next poll if no event comes before.
    next: Instant,
    /// The earliest time of the next poll.
    not_before: Instant,
    /// Whether jobs wait or run in the lanes, by the last check.
    is_active: bool,
    check_at: Instant,
}

/// Whether wake-ups arrive here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listening {
    No,
    Joining,
    Yes,
}

impl Polling {
    pub(super) fn new(now: &Now) -> Self {
        Self {
            poll: None,
            is_checking: false,
            listening: Listening::No,
            is_disturbed: true,
            wake: WakeLanes::default(),
            next: now.at,
            not_before: now.at,
            is_active: true,
            check_at: now.at,
        }
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.poll.is_some()
    }

    /// The last poll may have missed something: poll again.
    pub(super) fn disturb(&mut self) {
        self.is_disturbed = true;
    }

    /// A job was published in this lane.
    pub(super) fn wake(&mut self, lane: Lane) {
        self.wake.lanes.insert(lane);
        self.disturb();
    }

    /// Jobs that were declined before may be admitted now: all lanes are polled.
    pub(super) fn wake_all(&mut self) {
        self.wake.is_all = true;
        self.disturb();
    }

    /// Messages may have been missed.
    pub(super) fn reconnected(&mut self, now: &Now) {
        self.is_active = true;
        self.check_at = now.at;
        self.wake_all();
    }

    /// A poll has ended with this number of claims.
    pub(super) fn polled<J>(
        &mut self,
        claims: Result<usize, NoAnswer>,
        lanes: &KnownLanes,
        now: &Now,
        actions: &mut Vec<Action<J>>,
    ) {
        self.poll = None;
        match claims {
            Err(NoAnswer) => self.trouble(now, actions),
            Ok(0) => {
                if self.listening == Listening::No {
                    self.listening = Listening::Joining;
                    actions.push(Action::Listen(lanes.queues().to_vec()));
                }
                if now.at >= self.check_at && !self.is_checking {
                    self.check(lanes, actions);
                }
                self.next = now.at + self.pause(now);
            }
            // More jobs may wait.
            Ok(_) => self.disturb(),
        }
    }

    fn trouble<J>(&mut self, now: &Now, actions: &mut Vec<Action<J>>) {
        self.stop_listening(actions);
        self.is_active = true;
        self.check_at = now.at;
        self.not_before = now.at + TROUBLE;
        self.next = self.not_before;
    }

    pub(super) fn listening<J>(
        &mut self,
        outcome: Result<(), NoAnswer>,
        now: &Now,
        actions: &mut Vec<Action<J>>,
    ) {
        match outcome {
            Ok(()) => {
                self.listening = Listening::Yes;
                // The wake-up of a job that was published before did not arrive here.
                self.disturb();
            }
            Err(NoAnswer) => {
                self.listening = Listening::No;
                self.trouble(now, actions);
            }
        }
    }

    fn check<J>(&mut self, lanes: &KnownLanes, actions: &mut Vec<Action<J>>) {
        self.is_checking = true;
        actions.push(Action::CheckActivity(lanes.known()));
    }

    pub(super) fn checked<J>(
        &mut self,
        outcome: Result<Activity, NoAnswer>,
        now: &Now,
        actions: &mut Vec<Action<J>>,
    ) {
        self.is_checking = false;
        let Ok(activity) = outcome else {
            return self.trouble(now, actions);
        };
        let was_active = std::mem::replace(&mut self.is_active, activity.has_work);
        let lease = activity.lease.unwrap_or(LONGEST_CHECK);
        let check_in = (lease / CHECKS_PER_LEASE).clamp(SHORTEST_CHECK, LONGEST_CHECK);
        self.check_at = now.at + check_in;
        self.next = if self.is_active && !was_active {
            now.at
        } else {
            now.at + self.pause(now)
        };
    }

    /// How long to wait for a wake-up before the next poll.
    fn pause(&self, now: &Now) -> Duration {
        let [shortest, longest] = BETWEEN_POLLS;
        let jitter = shortest + (longest - shortest).mul_f64(now.chance);
        if self.is_active || self.is_checking {
            jitter
        } else {
            self.check_at.saturating_duration_since(now.at) + jitter / 10
        }
    }

    /// Leaves the queue groups: the wake-ups are for workers that are idle.
    pub(super) fn stop_listening<J>(&mut self, actions: &mut Vec<Action<J>>) {
        if self.listening == Listening::Yes {
            self.listening = Listening::No;
            actions.push(Action::StopListening);
        }
    }

    /// Adds the actions that are due; `room` is the number of jobs that may be claimed.
    pub(super) fn decide<J>(
        &mut self,
        now: &Now,
        room: Option<usize>,
        lanes: &KnownLanes,
        actions: &mut Vec<Action<J>>,
    ) {
        let Some(free) = room else {
            self.hurry(PollEffort::Stop, actions);
            return self.stop_listening(actions);
        };
        if self.poll.is_some() {
            // The poll may already have passed the lane of a new job.
            if self.is_disturbed {
                self.hurry(PollEffort::Brief, actions);
            }
            return;
        }
        if now.at < self.due(lanes) {
            return;
        }
        // One check costs less than a poll of each lane.
        let is_idle = !self.is_disturbed && !self.is_active && self.listening == Listening::Yes;
        if is_idle && !self.is_checking {
            self.check(lanes, actions);
            self.next = now.at + self.pause(now);
            return;
        }
        self.poll = Some(PollEffort::Thorough);
        self.is_disturbed = false;
        actions.push(Action::Poll {
            lanes: lanes.known(),
            free,
            wake: std::mem::take(&mut self.wake),
        });
    }

    fn hurry<J>(&mut self, to: PollEffort, actions: &mut Vec<Action<J>>) {
        if let Some(effort) = &mut self.poll
            && *effort < to
        {
            *effort = to;
            actions.push(Action::Hurry(to));
        }
    }

    /// The time of the next poll if there is room.
    fn due(&self, lanes: &KnownLanes) -> Instant {
        let due = if self.is_disturbed {
            self.not_before
        } else {
            self.next.max(self.not_before)
        };
        due.max(lanes.held_until().unwrap_or(due))
    }

    /// The time of the next poll if there is room and no poll is under way.
    pub(super) fn wake_at(&self, lanes: &KnownLanes) -> Option<Instant> {
        self.poll.is_none().then(|| self.due(lanes))
    }
}
