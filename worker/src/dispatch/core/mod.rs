//! The rules: when a worker polls, starts jobs, makes proof encodes and stops. They have no input or output: events
//! go in, actions come out.
//!
//! ```text
//! broker, people, clock, ended tasks ──Event──► Core::next ──Action──► tasks ──┐
//!           ▲                                                                 │
//!           └──────────────────────── their ends ─────────────────────────────┘
//! ```
//!
//! A suspect is a job with which a worker has failed or vanished before. A suspect starts alone if possible: if it
//! takes the worker down again, no other job is lost with it.

pub(crate) mod availability;
pub(crate) mod event;
pub(crate) mod health;
mod lanes;
pub(super) mod lifetime;
mod polling;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use common::farm::orders::Orders;
use common::farm::queue::Queue;
use common::farm::worker::WorkerStatus;
use common::job::failure::Fault;
use common::job::id::JobId;
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::dispatch::core::availability::WorkingHours;
use crate::dispatch::core::event::{Action, Claimed, Event, NoAnswer, Now, ProofId, Slot};
use crate::dispatch::core::health::Health;
use crate::dispatch::core::lanes::KnownLanes;
use crate::dispatch::core::lifetime::{Lifetime, Limits};
use crate::dispatch::core::polling::Polling;
use crate::report::availability::Availability;
use crate::work::AttemptEnd;

pub(crate) use event::WakeLanes;

/// Working hours are checked at least this often: the broker's clock may be set.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// The shortest wait for working hours: two clocks never agree to the nanosecond.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(5);

/// The settings of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) working_hours: WorkingHours,
    /// The most jobs at once.
    pub(crate) slots: usize,
    /// How long a stopping worker may finish running jobs.
    pub(crate) drain_timeout: Duration,
    /// When it ends by itself.
    pub(crate) limits: Limits,
}

/// The state of one worker; `J` is a claimed job.
#[derive(Clone, Debug)]
pub(crate) struct Core<J> {
    settings: Settings,
    controls: Orders,
    health: Health,
    lanes: KnownLanes,
    polling: Polling,
    lifetime: Lifetime,
    /// The jobs that run, and whether they are suspects.
    running: BTreeMap<Slot, bool>,
    /// The proof encode, or try to end a quarantine, that is under way.
    proof: Option<ProofId>,
    /// The number of slots and proofs so far.
    count: u64,
    /// The last announced availability.
    announced: Option<Availability>,
    is_stopping: bool,
    _jobs: std::marker::PhantomData<J>,
}

impl<J> Core<J> {
    pub(crate) fn new(
        settings: Settings,
        health: Health,
        controls: Orders,
        queues: Vec<Queue>,
        now: &Now,
    ) -> Self {
        Self {
            lifetime: Lifetime::new(settings.limits, now),
            settings,
            controls,
            health,
            lanes: KnownLanes::new(queues, now),
            polling: Polling::new(now),
            running: BTreeMap::new(),
            proof: None,
            count: 0,
            announced: None,
            is_stopping: false,
            _jobs: std::marker::PhantomData,
        }
    }

    /// Applies an event, and returns the actions that are due.
    pub(crate) fn next(&mut self, now: &Now, event: Event<J>) -> Vec<Action<J>> {
        let mut actions = Vec::new();
        self.note(now, event, &mut actions);
        self.decide(now, &mut actions);
        actions
    }

    /// The time of the next [`Event::Tick`], if no event comes before.
    pub(crate) fn wake_at(&self, now: &Now) -> Option<Instant> {
        if self.is_stopping {
            return None;
        }
        let has_room = self.room(&self.availability(now)).is_some();
        let poll = self.polling.wake_at(&self.lanes).filter(|_| has_room);
        let quarantine = self.health.quarantine();
        let quarantine = quarantine.filter(|_| self.proof.is_none());
        let is_idle = self.running.is_empty() && !self.polling.is_under_way();
        let idle_end = self.lifetime.idle_end().filter(|_| is_idle);
        let hours = self.settings.working_hours.next_change(&self.controls, now);
        let hours = hours.map(|at| {
            let wait = at.duration_since(now.utc);
            now.at + wait.clamp(SHORTEST_WAIT, LONGEST_WAIT).unsigned_abs()
        });
        [
            poll,
            self.lanes.due(has_room),
            quarantine.map(|quarantine| quarantine.ends()),
            idle_end,
            hours,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    /// Whether the worker stops and all its work has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_stopping && self.running.is_empty() && !self.polling.is_under_way()
    }

    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    fn note(&mut self, now: &Now, event: Event<J>, actions: &mut Vec<Action<J>>) {
        match event {
            Event::Wakeup(Some(lane)) | Event::LaneMade(lane) if self.lanes.serves(&lane) => {
                self.lanes.hear(&lane);
                self.polling.wake(lane);
            }
            Event::LaneMade(_) | Event::Tick => {}
            Event::Wakeup(_) => self.polling.disturb(),
            Event::LanesOpened(outcome) => {
                if self.lanes.opened(outcome, now) {
                    self.polling.disturb();
                }
            }
            Event::SearchDone(outcome) => {
                if self.lanes.found(outcome, now) {
                    self.polling.disturb();
                }
            }
            Event::PollDone(polled) => {
                let claims = polled.as_ref().map(Vec::len).map_err(|error| *error);
                self.polling.polled(claims, &self.lanes, now, actions);
                match polled {
                    Ok(claims) => self.start(claims, now, actions),
                    Err(NoAnswer) => self.lanes.lose(now),
                }
            }
            Event::ActivityChecked(outcome) => {
                if outcome.is_err() {
                    self.lanes.lose(now);
                }
                self.polling.checked(outcome, now, actions);
            }
            Event::Listening(outcome) => self.polling.listening(outcome, now, actions),
            Event::JobEnded(slot, end) => {
                self.running.remove(&slot);
                if self.running.is_empty() {
                    self.lifetime.idles(now);
                }
                if let Some((job, end)) = end {
                    self.judge(job, end);
                }
                self.polling.wake_all();
            }
            Event::Proved {
                proof,
                outcome,
                queues,
            } => self.proved(proof, outcome, queues, now, actions),
            Event::OrdersChanged(controls) => {
                self.controls = controls;
                self.polling.wake_all();
            }
            Event::PlacesChanged => self.polling.wake_all(),
            Event::LiftAsked => {
                let was_quarantined = self.health.lift();
                // The result of a try under way is not needed any more.
                if was_quarantined {
                    self.abandon_proof(actions);
                    self.polling.disturb();
                }
                actions.push(Action::AnswerLift { was_quarantined });
            }
            Event::Reconnected => {
                self.lanes.search_soon(now);
                self.polling.reconnected(now);
            }
            Event::Shutdown { is_connected } => {
                // Without a broker no job can be finished or released.
                let time = if is_connected {
                    self.settings.drain_timeout
                } else {
                    Duration::ZERO
                };
                self.stop(now.at + time, actions);
            }
        }
    }

    /// Starts no more jobs; those that run may take until the deadline.
    fn stop(&mut self, deadline: Instant, actions: &mut Vec<Action<J>>) {
        self.is_stopping = true;
        actions.push(Action::StopJobs(deadline));
        self.abandon_proof(actions);
    }

    /// Stops a worker whose time is over. A poll under way may have claimed a job.
    fn retire(&mut self, now: &Now, actions: &mut Vec<Action<J>>) {
        let has_work = !self.running.is_empty() || self.polling.is_under_way();
        if self.is_stopping || has_work {
            return;
        }
        if let Some(why) = self.lifetime.is_over(now) {
            tracing::info!("stopping: {why}");
            self.stop(now.at, actions);
        }
    }

    fn decide(&mut self, now: &Now, actions: &mut Vec<Action<J>>) {
        self.retire(now, actions);
        self.prove(now, actions);
        let availability = self.availability(now);
        if self.announced.as_ref() != Some(&availability) {
            actions.push(Action::Announce(availability.clone()));
            self.announced = Some(availability.clone());
        }
        let room = self.room(&availability);
        if !self.is_stopping {
            self.lanes.decide(now, room.is_some(), actions);
        }
        self.polling.decide(now, room, &self.lanes, actions);
    }

    fn availability(&self, now: &Now) -> Availability {
        if self.is_stopping {
            return Availability {
                status: WorkerStatus::Draining,
                note: Some("it is stopping".to_owned()),
                until: None,
            };
        }
        if self.lifetime.left() == Some(0) {
            return Availability {
                status: WorkerStatus::Draining,
                note: Some("it stops after its last job".to_owned()),
                until: None,
            };
        }
        let working_hours = &self.settings.working_hours;
        working_hours.availability(&self.controls, &self.health, self.running.len(), now)
    }

    /// The number of jobs that may be started; `None` if no job may.
    fn room(&self, availability: &Availability) -> Option<usize> {
        let has_suspect = self.running.values().any(|is_suspect| *is_suspect);
        let is_willing = availability.is_ready() && self.health.is_well() && !has_suspect;
        let free = self.settings.slots.saturating_sub(self.running.len());
        let free = free.min(self.lifetime.left().unwrap_or(free));
        (is_willing && free > 0).then_some(free)
    }

    /// Starts the jobs that a poll has claimed. If there are suspects, one of them is started and all other jobs are
    /// released: jobs that were lost with one worker come back together, and would be lost with the next one
    /// together.
    fn start(&mut self, claims: Vec<Claimed<J>>, now: &Now, actions: &mut Vec<Action<J>>) {
        let room = self.room(&self.availability(now)).unwrap_or(0);
        let suspect = claims.iter().position(|claim| claim.is_suspect);
        let mut started = 0;
        for (index, claim) in claims.into_iter().enumerate() {
            let is_chosen = suspect.is_none_or(|suspect| suspect == index);
            if is_chosen && started < room {
                started += 1;
                let slot = Slot(self.number());
                self.running.insert(slot, claim.is_suspect);
                self.lifetime.started();
                actions.push(Action::Start(slot, claim.job));
            } else {
                actions.push(Action::Release(claim.job));
            }
        }
    }

    fn judge(&mut self, job: JobId, end: AttemptEnd) {
        match end {
            AttemptEnd::Completed => self.health.completed(),
            AttemptEnd::Failed {
                fault: Fault::Worker,
                by,
            } => self.health.failed(job, by),
            // These ends prove nothing about this worker.
            AttemptEnd::Failed { .. } | AttemptEnd::Gone => {}
        }
    }

    /// Starts a proof encode if the worker is in doubt or a rest is over.
    fn prove(&mut self, now: &Now, actions: &mut Vec<Action<J>>) {
        if self.is_stopping || self.proof.is_some() {
            return;
        }
        let quarantine = self.health.quarantine();
        let is_due = quarantine.is_some_and(|quarantine| quarantine.is_due(now));
        if !is_due && !self.health.is_in_doubt() {
            return;
        }
        let proof = ProofId(self.number());
        self.proof = Some(proof);
        let suspects = self.health.suspects();
        if is_due {
            actions.push(Action::ProveAgain(proof, suspects));
        } else {
            tracing::warn!(
                "several jobs in a row failed by this worker's fault: making a proof encode"
            );
            actions.push(Action::Prove(proof, suspects));
        }
    }

    /// Decides whether the jobs or the machine are at fault.
    fn proved(
        &mut self,
        proof: ProofId,
        outcome: Result<(), String>,
        queues: Vec<Queue>,
        now: &Now,
        actions: &mut Vec<Action<J>>,
    ) {
        if self.proof != Some(proof) {
            return;
        }
        self.proof = None;
        let was_quarantined = self.health.quarantine().is_some();
        match outcome {
            Ok(()) => self.health.passed(now),
            Err(ref why) => self.health.rest(why, now),
        }
        match (outcome, was_quarantined) {
            (Ok(()), true) => tracing::info!("out of quarantine: taking jobs again"),
            (Ok(()), false) => {
                tracing::warn!("a proof encode passed: the jobs are at fault");
            }
            (Err(why), false) => {
                tracing::error!(%why, "a proof encode failed, too: in quarantine");
            }
            (Err(why), true) => {
                tracing::error!(%why, "a proof encode failed again: still in quarantine");
            }
        }
        if self.lanes.serve(queues, now) {
            self.polling.stop_listening(actions);
        }
        self.polling.wake_all();
    }

    fn abandon_proof(&mut self, actions: &mut Vec<Action<J>>) {
        if self.proof.take().is_some() {
            actions.push(Action::AbandonProof);
        }
    }

    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}
