//! Whether this worker takes jobs just now: people's orders, its working
//! hours, and how it fared with its last jobs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use common::broker::Clock;
use common::farm::hours::Hours;
use common::farm::orders::{Controls, Target};
use common::farm::worker::WorkerStatus;
use common::farm::worker_name::WorkerName;
use common::job::failure::Fault;
use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use crate::dispatch::health::{Health, Quarantine};
use crate::report::availability::Availability;
use crate::work::AttemptEnd;

/// What a worker says that is in doubt.
const IN_DOUBT: &str = "several jobs in a row failed by this worker's fault: it makes an encode of its own before it starts more";

/// Everything that decides on a worker's availability.
pub struct Duty {
    name: WorkerName,
    hours: Option<Hours>,
    controls: watch::Receiver<Controls>,
    health: Mutex<Health>,
    clock: Clock,
}

impl Duty {
    /// A worker with these hours, under these orders.
    pub fn new(
        name: WorkerName,
        hours: Option<Hours>,
        controls: watch::Receiver<Controls>,
        health: Health,
        clock: Clock,
    ) -> Self {
        Self {
            name,
            hours,
            controls,
            health: Mutex::new(health),
            clock,
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose availability it is.
    pub fn name(&self) -> &WorkerName {
        &self.name
    }

    /// The orders that are in force.
    pub fn controls(&self) -> watch::Receiver<Controls> {
        self.controls.clone()
    }

    /// How a job ended. Says whether that puts the worker in doubt: then no job
    /// is started until [`Duty::judge`].
    pub fn note(&self, job: JobId, outcome: AttemptEnd) -> bool {
        match outcome {
            AttemptEnd::Completed => self.health().completed(),
            AttemptEnd::Failed {
                fault: Fault::Worker,
                by,
            } => return self.health().failed(job, by),
            // Says nothing about this worker.
            AttemptEnd::Failed { .. } | AttemptEnd::Gone => {}
        }
        false
    }

    /// Whether jobs may be started, as far as the worker's health goes.
    pub fn is_trusted(&self) -> bool {
        let health = self.health();
        !health.is_in_doubt() && health.quarantine().is_none()
    }

    /// What the jobs were encoded with that failed by this worker's fault.
    pub fn suspects(&self) -> Vec<Encoder> {
        self.health().suspects()
    }

    /// How an encode of its own went; says whether the worker was in quarantine.
    pub fn judge(&self, proof: Result<(), &str>) -> bool {
        let mut health = self.health();
        let was_quarantined = health.quarantine().is_some();
        match proof {
            Ok(()) => health.passed(self.clock.now()),
            Err(why) => health.rest(why, self.clock.now()),
        }
        was_quarantined
    }

    /// Whether a quarantine has lasted long enough for another proof to decide on its end.
    pub fn is_to_try_again(&self) -> bool {
        self.health().quarantine().is_some_and(Quarantine::is_due)
    }

    /// Ends a quarantine by a person's word; says whether there was one.
    pub fn lift(&self) -> bool {
        self.health().lift()
    }

    /// Whether the worker takes jobs now; `running` is how many it has.
    pub fn availability(&self, running: usize) -> Availability {
        let health = self.health();
        if let Some(quarantine) = health.quarantine() {
            return Availability {
                status: WorkerStatus::Quarantined,
                note: Some(quarantine.note()),
                until: quarantine.next_try(),
            };
        }
        let is_in_doubt = health.is_in_doubt();
        drop(health);
        let controls = self.controls.borrow();
        let order = controls.order(&Target::Worker(self.name.clone()));
        if order.is_some_and(|order| order.paused) {
            return Availability {
                status: if running > 0 {
                    WorkerStatus::Draining
                } else {
                    WorkerStatus::Drained
                },
                note: Some("drained by a person".to_owned()),
                until: None,
            };
        }
        let hours = order
            .and_then(|order| order.hours.as_ref())
            .or(self.hours.as_ref());
        // The hours of this machine's place, by the broker's clock.
        let now = self.clock.now().to_zoned(TimeZone::system());
        match hours {
            Some(hours) if !hours.include(&now) => Availability {
                status: WorkerStatus::OffHours,
                note: Some(format!("works {hours} only")),
                until: hours.next_change(&now).map(|at| at.timestamp()),
            },
            _ => Availability {
                status: WorkerStatus::Ready,
                note: is_in_doubt.then(|| IN_DOUBT.to_owned()),
                until: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{Timestamp, Zoned};

    use super::*;

    fn duty(hours: Option<&str>) -> (Duty, watch::Sender<Controls>) {
        let (send, controls) = watch::channel(Controls::default());
        let hours = hours.map(|text| text.parse().expect("hours"));
        let name = "w1".parse().expect("a name");
        (
            Duty::new(
                name,
                hours,
                controls,
                Health::new(3, Duration::ZERO),
                Clock::default(),
            ),
            send,
        )
    }

    fn job(n: u128) -> JobId {
        uuid::Uuid::from_u128(n).to_string().parse().expect("an id")
    }

    #[test]
    fn a_quarantine_ends_by_a_proof_or_a_persons_word_and_not_by_the_clock() {
        let (duty, _orders) = duty(None);
        let fails = |fault, n| {
            let by = None;
            duty.note(job(n), AttemptEnd::Failed { fault, by })
        };
        assert!(!fails(Fault::Worker, 1));
        assert!(!fails(Fault::Input, 2), "says nothing of this worker");
        assert!(!fails(Fault::Worker, 3));
        assert!(fails(Fault::Worker, 4));
        let availability = duty.availability(0);
        assert!(availability.is_ready() && !duty.is_trusted(), "in doubt");
        assert!(availability.note.is_some(), "and says so");
        for _ in 0..2 {
            duty.judge(Err("no device"));
            let availability = duty.availability(0);
            assert_eq!(availability.status, WorkerStatus::Quarantined);
            assert!(
                availability
                    .note
                    .is_some_and(|note| note.ends_with("no device"))
            );
            assert!(
                duty.is_to_try_again() && availability.until.is_none(),
                "due"
            );
        }
        assert!(duty.judge(Ok(())), "it was in quarantine");
        assert!(duty.availability(0).is_ready() && duty.is_trusted());
        duty.judge(Err("no device"));
        assert!(duty.lift() && duty.availability(0).is_ready() && duty.is_trusted());
        assert!(!duty.lift());
    }

    #[test]
    fn orders_win_over_its_own_hours() {
        let (duty, orders) = duty(Some("mon-sun 00:00-24:00"));
        assert!(duty.availability(0).is_ready());
        let target = Target::Worker("w1".parse().expect("a name"));
        let order = |paused, hours: Option<&str>| common::farm::orders::Order {
            paused,
            hours: hours.map(|text| text.parse().expect("hours")),
            since: Timestamp::now(),
        };
        orders.send_replace([(target.clone(), order(true, None))].into_iter().collect());
        assert_eq!(duty.availability(1).status, WorkerStatus::Draining);
        assert_eq!(duty.availability(0).status, WorkerStatus::Drained);
        // Hours that ended a moment ago and begin again in almost a day.
        let now = Zoned::now();
        let clock = |minutes: i64| {
            now.checked_add(jiff::Span::new().minutes(minutes))
                .expect("in range")
                .strftime("%H:%M")
                .to_string()
        };
        let hours = format!("{}-{}", clock(-10), clock(-5));
        orders.send_replace([(target, order(false, Some(&hours)))].into_iter().collect());
        let availability = duty.availability(0);
        assert_eq!(availability.status, WorkerStatus::OffHours);
        assert!(availability.until.expect("they begin again") > Timestamp::now());
    }
}
