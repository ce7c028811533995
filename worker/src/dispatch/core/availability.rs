//! Whether a worker takes jobs now, by people's orders, its working hours and its health.

use common::farm::hours::Hours;
use common::farm::orders::{Orders, Target};
use common::farm::worker::WorkerStatus;
use common::farm::worker_name::WorkerName;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::dispatch::core::event::Now;
use crate::dispatch::core::health::Health;
use crate::report::availability::Availability;

const IN_DOUBT: &str = "several jobs in a row failed by this worker's fault: it makes a proof encode before it starts more";

/// A worker's name, and its working hours without an order.
#[derive(Clone, Debug)]
pub(crate) struct WorkingHours {
    pub(crate) name: WorkerName,
    /// The worker's own hours; an order replaces them.
    pub(crate) hours: Option<Hours>,
    /// The time zone of the hours.
    pub(crate) zone: TimeZone,
}

impl WorkingHours {
    /// Whether the worker takes jobs, and why not; `running` is the number of its jobs.
    pub(super) fn availability(
        &self,
        controls: &Orders,
        health: &Health,
        running: usize,
        now: &Now,
    ) -> Availability {
        if let Some(quarantine) = health.quarantine() {
            return Availability {
                status: WorkerStatus::Quarantined,
                note: Some(quarantine.note()),
                until: quarantine.next_try(now),
            };
        }
        let target = Target::Worker(self.name.clone());
        if controls.is_paused(&target) {
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
        let here = self.here(now);
        match self.hours(controls) {
            Some(hours) if !hours.include(&here) => Availability {
                status: WorkerStatus::OffHours,
                note: Some(format!("works {hours} only")),
                until: hours.next_change(&here).map(|at| at.timestamp()),
            },
            _ => Availability {
                status: WorkerStatus::Ready,
                note: health.is_in_doubt().then(|| IN_DOUBT.to_owned()),
                until: None,
            },
        }
    }

    /// The next begin or end of the worker's hours, by the broker's clock.
    pub(super) fn next_change(&self, controls: &Orders, now: &Now) -> Option<Timestamp> {
        let hours = self.hours(controls)?;
        Some(hours.next_change(&self.here(now))?.timestamp())
    }

    fn hours<'a>(&'a self, controls: &'a Orders) -> Option<&'a Hours> {
        let order = controls.order(&Target::Worker(self.name.clone()));
        let ordered = order.and_then(|order| order.hours.as_ref());
        ordered.or(self.hours.as_ref())
    }

    fn here(&self, now: &Now) -> Zoned {
        now.utc.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::farm::orders::Order;
    use tokio::time::Instant;

    use super::*;

    fn at(utc: &str) -> Now {
        Now {
            at: Instant::now(),
            utc: utc.parse().expect("a time"),
            chance: 0.0,
        }
    }

    #[test]
    fn orders_win_over_its_own_hours() {
        let working_hours = WorkingHours {
            name: "w1".parse().expect("a name"),
            hours: Some("mon-sun 00:00-24:00".parse().expect("hours")),
            zone: TimeZone::UTC,
        };
        let health = Health::new(3, Duration::ZERO);
        let target = Target::Worker(working_hours.name.clone());
        let now = at("2026-03-01T12:00:00Z");
        let order = |paused, hours: Option<&str>| Order {
            paused,
            hours: hours.map(|text| text.parse().expect("hours")),
            since: now.utc,
        };
        let ordered = |order| [(target.clone(), order)].into_iter().collect();
        let drained: Orders = ordered(order(true, None));
        let status = |controls: &Orders, running| {
            let availability = working_hours.availability(controls, &health, running, &now);
            availability.status
        };
        assert_eq!(status(&Orders::default(), 0), WorkerStatus::Ready);
        assert_eq!(status(&drained, 1), WorkerStatus::Draining);
        assert_eq!(status(&drained, 0), WorkerStatus::Drained);
        let controls = ordered(order(false, Some("11:50-11:55")));
        let availability = working_hours.availability(&controls, &health, 0, &now);
        assert_eq!(availability.status, WorkerStatus::OffHours);
        let tomorrow = "2026-03-02T11:50:00Z".parse().expect("a time");
        assert_eq!(availability.until, Some(tomorrow));
        assert_eq!(working_hours.next_change(&controls, &now), Some(tomorrow));
    }
}
