//! Whether this worker takes jobs just now: people's orders, its working
//! hours, and how it fared with its last jobs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::broker::Clock;
use common::control::{Controls, Target};
use common::encoder::Encoder;
use common::failure::Fault;
use common::hours::Hours;
use common::id::JobId;
use common::worker::{WorkerName, WorkerStatus};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::executor::Outcome;

/// No quarantine lasts longer than this.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// What a worker says of itself, and whether it takes jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// In one word.
    pub status: WorkerStatus,
    /// Why, for people.
    pub note: Option<String>,
    /// When that changes, where it is known.
    pub until: Option<Timestamp>,
}

impl Standing {
    /// Whether it takes jobs.
    pub fn is_ready(&self) -> bool {
        self.status == WorkerStatus::Ready
    }
}

/// Everything that decides on a worker's standing.
pub struct Duty {
    name: WorkerName,
    hours: Option<Hours>,
    controls: watch::Receiver<Controls>,
    health: Mutex<Health>,
    quarantine_after: usize,
    rest: Duration,
    clock: Clock,
}

#[derive(Default)]
struct Health {
    /// Jobs that failed by this worker's fault, one after the other, and what
    /// they were encoded with.
    failed: Vec<(JobId, Option<Encoder>)>,
    /// Whether it is being found out if the jobs or the machine are at fault.
    in_doubt: bool,
    /// Quarantines since a job last ended well.
    quarantines: u32,
    quarantine: Option<Quarantine>,
}

struct Quarantine {
    why: String,
    ends: Instant,
    until: Timestamp,
}

impl Duty {
    /// A worker in good health; `quarantine_after` jobs in a row that fail by
    /// its own fault put it in doubt, and where an encode of its own fails, too,
    /// into quarantine for `rest`, and for twice as long each further time;
    /// never where that is 0.
    pub fn new(
        name: WorkerName,
        hours: Option<Hours>,
        controls: watch::Receiver<Controls>,
        quarantine_after: usize,
        rest: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            name,
            hours,
            controls,
            health: Mutex::default(),
            quarantine_after,
            rest,
            clock,
        }
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orders that are in force.
    pub fn controls(&self) -> watch::Receiver<Controls> {
        self.controls.clone()
    }

    /// How a job ended. Says whether that puts the worker in doubt.
    pub fn note(&self, job: JobId, outcome: Outcome) -> bool {
        let mut health = self.health();
        match outcome {
            Outcome::Completed => *health = Health::default(),
            Outcome::Failed {
                fault: Fault::Worker,
                by,
            } => {
                if !health.failed.iter().any(|(failed, _)| *failed == job) {
                    health.failed.push((job, by));
                }
                let begins = self.quarantine_after > 0
                    && health.failed.len() >= self.quarantine_after
                    && health.quarantine.is_none()
                    && !health.in_doubt;
                health.in_doubt |= begins;
                return begins;
            }
            // Says nothing about this worker.
            Outcome::Failed { .. } | Outcome::Gone => {}
        }
        false
    }

    /// Whether it is being found out if the jobs or the machine are at fault: no
    /// job is started meanwhile.
    pub fn is_in_doubt(&self) -> bool {
        self.health().in_doubt
    }

    /// What the jobs were encoded with that failed by this worker's fault.
    pub fn suspects(&self) -> Vec<Encoder> {
        let health = self.health();
        let mut suspects: Vec<Encoder> = health
            .failed
            .iter()
            .filter_map(|(_, encoder)| encoder.clone())
            .collect();
        suspects.sort();
        suspects.dedup();
        suspects
    }

    /// An encode of its own failed, too: the worker is to rest.
    pub fn rest(&self, why: &str) {
        let mut health = self.health();
        let rest = self
            .rest
            .saturating_mul(1 << health.quarantines.min(16))
            .min(LONGEST_REST);
        health.quarantines += 1;
        health.in_doubt = false;
        health.quarantine = Some(Quarantine {
            why: format!(
                "{} jobs in a row failed by this worker's fault, and so did an encode of its own: {why}",
                health.failed.len()
            ),
            ends: Instant::now() + rest,
            until: self.clock.now().checked_add(rest).unwrap_or(Timestamp::MAX),
        });
    }

    /// An encode of its own passed: the jobs are at fault.
    pub fn acquit(&self) {
        *self.health() = Health::default();
    }

    /// Whether a quarantine has lasted long enough for another proof to decide on its end.
    pub fn quarantine_is_over(&self) -> bool {
        let health = self.health();
        let quarantine = health.quarantine.as_ref();
        quarantine.is_some_and(|quarantine| Instant::now() >= quarantine.ends)
    }

    /// Ends the quarantine: on probation, as one more failure begins the next.
    pub fn release(&self) {
        let mut health = self.health();
        health.quarantine = None;
        health.failed.pop();
    }

    /// Whether it is in quarantine.
    pub fn is_quarantined(&self) -> bool {
        self.health().quarantine.is_some()
    }

    /// Whether the worker takes jobs now; `running` is how many it has.
    pub fn standing(&self, running: usize) -> Standing {
        if let Some(quarantine) = &self.health().quarantine {
            return Standing {
                status: WorkerStatus::Quarantined,
                note: Some(quarantine.why.clone()),
                until: Some(quarantine.until),
            };
        }
        let controls = self.controls.borrow();
        let order = controls.order(&Target::Worker(self.name.clone()));
        if order.is_some_and(|order| order.paused) {
            return Standing {
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
            Some(hours) if !hours.include(&now) => Standing {
                status: WorkerStatus::OffHours,
                note: Some(format!("works {hours} only")),
                until: hours.next_change(&now).map(|at| at.timestamp()),
            },
            _ => Standing {
                status: WorkerStatus::Ready,
                note: None,
                until: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Zoned;

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
                3,
                Duration::from_secs(60),
                Clock::default(),
            ),
            send,
        )
    }

    fn job(n: u128) -> JobId {
        uuid::Uuid::from_u128(n).to_string().parse().expect("an id")
    }

    #[test]
    fn different_jobs_in_a_row_put_a_worker_in_doubt() {
        let (duty, _orders) = duty(None);
        let failed_by = |fault| Outcome::Failed { fault, by: None };
        let failed = || failed_by(Fault::Worker);
        for _ in 0..5 {
            assert!(!duty.note(job(1), failed()), "one job may be the culprit");
        }
        assert!(!duty.note(job(2), failed()));
        assert!(!duty.note(job(3), Outcome::Completed), "it is well again");
        assert!(!duty.note(job(4), failed()));
        assert!(!duty.note(job(5), failed_by(Fault::Input)));
        assert!(!duty.note(job(6), failed()));
        assert!(duty.note(job(7), failed()));
        assert!(duty.is_in_doubt() && duty.standing(0).is_ready());
        assert!(!duty.note(job(7), failed()), "it is being found out");
        duty.acquit();
        assert!(!duty.is_in_doubt() && duty.standing(0).is_ready());
        for nth in 8..11 {
            assert_eq!(duty.note(job(nth), failed()), nth == 10);
        }
        duty.rest("no device");
        assert_eq!(duty.standing(0).status, WorkerStatus::Quarantined);
        duty.release();
        assert!(duty.standing(0).is_ready());
        assert!(duty.note(job(11), failed()), "on probation");
    }

    #[test]
    fn orders_win_over_its_own_hours() {
        let (duty, orders) = duty(Some("mon-sun 00:00-24:00"));
        assert!(duty.standing(0).is_ready());
        let target = Target::Worker("w1".parse().expect("a name"));
        let order = |paused, hours: Option<&str>| common::control::Order {
            paused,
            hours: hours.map(|text| text.parse().expect("hours")),
            since: Timestamp::now(),
        };
        orders.send_replace([(target.clone(), order(true, None))].into_iter().collect());
        assert_eq!(duty.standing(1).status, WorkerStatus::Draining);
        assert_eq!(duty.standing(0).status, WorkerStatus::Drained);
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
        let standing = duty.standing(0);
        assert_eq!(standing.status, WorkerStatus::OffHours);
        assert!(standing.until.expect("they begin again") > Timestamp::now());
    }
}
