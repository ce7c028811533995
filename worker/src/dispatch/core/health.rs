//! A worker's health, by the ends of its last jobs: well, in doubt, or in quarantine.
//!
//! ```text
//!        N jobs in a row fail            the proof encode fails
//! well ───────────────────────► in doubt ─────────────────────► quarantined ◄─┐
//!  ▲   by this worker's fault      │                             │   │        │
//!  │                               │ it passes: the jobs are     │   └────────┘
//!  │◄──────────────────────────────┘ at fault                    │   a try fails: a
//!  │◄────────────────────────────────────────────────────────────┘   longer rest
//!                a try passes, or a person lifts the quarantine
//! ```
//!
//! The clock alone never ends a quarantine. After each rest the worker tries again, and each rest is twice as long as
//! the one before. After a quarantine the count of failures begins anew.

use std::time::Duration;

use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::dispatch::core::event::Now;

/// The longest rest. After this time without a quarantine, rests are short again.
const LONGEST_REST: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
pub(crate) struct Health {
    /// The number of different failed jobs in a row that puts the worker in doubt; 0 means never.
    limit: usize,
    /// The length of the first rest.
    shortest: Duration,
    /// Jobs that failed by the worker's fault, one after the other, with their encoders.
    streak: Vec<(JobId, Option<Encoder>)>,
    condition: Condition,
    /// Rests since the worker was last well.
    rests: u32,
    /// When the last quarantine ended.
    released: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Condition {
    Well,
    InDoubt,
    Quarantined(Quarantine),
}

/// Why a worker rests, and until when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quarantine {
    /// The number of different jobs in a row that had failed.
    jobs: usize,
    /// Their encoders.
    suspects: Vec<Encoder>,
    /// Why the last proof encode failed.
    why: String,
    /// When the worker tries again, by a clock that never jumps.
    ends: Instant,
    /// When the worker tries again, by the broker's clock.
    until: Timestamp,
}

impl Quarantine {
    /// The reason for the quarantine, for people.
    pub(crate) fn note(&self) -> String {
        let jobs = match self.jobs {
            1 => "a job".to_owned(),
            jobs => format!("{jobs} jobs in a row"),
        };
        format!(
            "{jobs} failed by this worker's fault, and so did a proof encode: {}",
            self.why
        )
    }

    /// When the worker tries again, by the broker's clock; `None` once that time has come.
    pub(crate) fn next_try(&self, now: &Now) -> Option<Timestamp> {
        (!self.is_due(now)).then_some(self.until)
    }

    /// When the worker tries again.
    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }

    pub(crate) fn is_due(&self, now: &Now) -> bool {
        now.at >= self.ends
    }
}

impl Health {
    /// A worker that is well. `limit` different failed jobs in a row put it in doubt (0 means never); its first rest
    /// lasts `shortest`.
    pub(crate) fn new(limit: usize, shortest: Duration) -> Self {
        Self {
            limit,
            shortest,
            streak: Vec::new(),
            condition: Condition::Well,
            rests: 0,
            released: None,
        }
    }

    /// A job was completed. If the worker is in doubt or rests, this proves nothing about the failed jobs.
    pub(crate) fn completed(&mut self) {
        if self.is_well() {
            self.streak.clear();
            self.rests = 0;
        }
    }

    /// A job failed by the worker's fault.
    pub(crate) fn failed(&mut self, job: JobId, encoder: Option<Encoder>) {
        if !self.is_well() {
            return;
        }
        if !self.streak.iter().any(|(failed, _)| *failed == job) {
            self.streak.push((job, encoder));
        }
        if self.limit > 0 && self.streak.len() >= self.limit {
            self.condition = Condition::InDoubt;
        }
    }

    /// Whether jobs may be started.
    pub(crate) fn is_well(&self) -> bool {
        matches!(self.condition, Condition::Well)
    }

    /// Whether a proof encode is to tell if the jobs or the machine are at fault.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.condition, Condition::InDoubt)
    }

    /// The quarantine that the worker is in.
    pub(crate) fn quarantine(&self) -> Option<&Quarantine> {
        match &self.condition {
            Condition::Quarantined(quarantine) => Some(quarantine),
            _ => None,
        }
    }

    /// The encoders of the jobs that failed by the worker's fault.
    pub(crate) fn suspects(&self) -> Vec<Encoder> {
        if let Some(quarantine) = self.quarantine() {
            return quarantine.suspects.clone();
        }
        let encoders = self.streak.iter();
        let mut suspects: Vec<Encoder> = encoders.filter_map(|(_, by)| by.clone()).collect();
        suspects.sort();
        suspects.dedup();
        suspects
    }

    /// A proof encode failed: the worker begins a rest, or the next one.
    pub(crate) fn rest(&mut self, why: &str, now: &Now) {
        let (jobs, suspects) = match self.quarantine() {
            Some(quarantine) => (quarantine.jobs, quarantine.suspects.clone()),
            None => (self.streak.len(), self.suspects()),
        };
        let well_for = self
            .released
            .map(|at| now.utc.duration_since(at).unsigned_abs());
        if self.quarantine().is_none() && well_for.is_some_and(|time| time >= LONGEST_REST) {
            self.rests = 0;
        }
        let doubled = self.shortest.saturating_mul(1 << self.rests.min(16));
        // A person may have set a first rest that is longer than the longest.
        let rest = doubled.min(LONGEST_REST.max(self.shortest));
        self.rests += 1;
        self.streak.clear();
        self.condition = Condition::Quarantined(Quarantine {
            jobs,
            suspects,
            why: why.to_owned(),
            ends: now.at + rest,
            until: now.utc.checked_add(rest).unwrap_or(Timestamp::MAX),
        });
    }

    /// A proof encode passed: the quarantine ends, or the jobs are at fault.
    pub(crate) fn passed(&mut self, now: &Now) {
        match self.condition {
            Condition::Quarantined(_) => self.released = Some(now.utc),
            _ => self.rests = 0,
        }
        self.streak.clear();
        self.condition = Condition::Well;
    }

    /// A person lifts the quarantine; returns whether there was one.
    pub(crate) fn lift(&mut self) -> bool {
        let was_quarantined = self.quarantine().is_some();
        if was_quarantined {
            self.streak.clear();
            self.rests = 0;
            self.condition = Condition::Well;
        }
        was_quarantined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn job(n: u128) -> JobId {
        uuid::Uuid::from_u128(n).to_string().parse().expect("an id")
    }

    fn at(utc: Timestamp) -> Now {
        Now {
            at: Instant::now(),
            utc,
            chance: 0.0,
        }
    }

    fn epoch() -> Now {
        at(Timestamp::UNIX_EPOCH)
    }

    /// Returns whether a job's failure puts the worker in doubt.
    fn fails(health: &mut Health, nth: u128) -> bool {
        health.failed(job(nth), None);
        health.is_in_doubt()
    }

    /// Three different jobs fail by the worker's fault; returns whether the last put it in doubt.
    fn three_fail(health: &mut Health) -> bool {
        assert!(!fails(health, 1));
        assert!(!fails(health, 2));
        fails(health, 3)
    }

    /// The length of the worker's rest.
    fn rest(health: &mut Health) -> Duration {
        let now = epoch();
        health.rest("no device", &now);
        let quarantine = health.quarantine().expect("it rests");
        let until = quarantine.next_try(&now).expect("not yet");
        until
            .duration_since(Timestamp::UNIX_EPOCH)
            .try_into()
            .expect("positive")
    }

    #[test]
    fn different_jobs_in_a_row_put_a_worker_in_doubt() {
        let mut health = Health::new(3, MINUTE);
        for _ in 0..5 {
            assert!(!fails(&mut health, 1), "one job may be the culprit");
        }
        assert!(!fails(&mut health, 2));
        health.completed();
        assert!(three_fail(&mut health), "the streak began anew");
        assert!(health.is_in_doubt());
        health.failed(job(4), None);
        health.completed();
        assert!(health.is_in_doubt(), "its own encode decides");
        health.passed(&epoch());
        assert!(!health.is_in_doubt() && health.quarantine().is_none());
        let mut never = Health::new(0, MINUTE);
        assert!((0..9).all(|n| !fails(&mut never, n)));
    }

    #[test]
    fn one_failure_after_a_quarantine_means_no_more_than_the_first_ever() {
        let mut health = Health::new(3, MINUTE);
        assert!(three_fail(&mut health));
        rest(&mut health);
        health.passed(&epoch());
        assert!(health.quarantine().is_none(), "ready at once");
        assert!(three_fail(&mut health), "three different jobs, and not one");
    }

    #[test]
    fn each_rest_is_longer_until_the_worker_is_well() {
        let mut health = Health::new(3, MINUTE);
        three_fail(&mut health);
        assert_eq!(rest(&mut health), MINUTE);
        assert_eq!(rest(&mut health), 2 * MINUTE, "a try has failed");
        health.passed(&epoch());
        three_fail(&mut health);
        assert_eq!(rest(&mut health), 4 * MINUTE, "it was not well for long");
        health.passed(&epoch());
        health.completed();
        three_fail(&mut health);
        assert_eq!(rest(&mut health), MINUTE, "it had a success");
        health.passed(&epoch());
        three_fail(&mut health);
        assert_eq!(rest(&mut health), 2 * MINUTE);
        let long_ago = Timestamp::UNIX_EPOCH - LONGEST_REST;
        health.passed(&at(long_ago));
        three_fail(&mut health);
        assert_eq!(rest(&mut health), MINUTE, "it was well for long");
        for _ in 0..20 {
            assert!(rest(&mut health) <= LONGEST_REST);
        }
        let mut patient = Health::new(1, 3 * LONGEST_REST);
        patient.failed(job(1), None);
        assert_eq!(rest(&mut patient), 3 * LONGEST_REST, "as it was told to");
    }

    #[test]
    fn a_try_that_fails_says_why_and_keeps_what_is_suspected() {
        let x265: Encoder = "libx265".parse().expect("an encoder");
        let mut health = Health::new(1, Duration::ZERO);
        let now = epoch();
        health.failed(job(1), Some(x265.clone()));
        health.rest("no device", &now);
        assert!(!fails(&mut health, 2), "it rests already");
        health.completed();
        let quarantine = health.quarantine().expect("no job ends it");
        assert!(quarantine.is_due(&now));
        assert_eq!(quarantine.next_try(&now), None, "it is trying");
        health.rest("disk full", &now);
        assert_eq!(health.suspects(), [x265]);
        let note = health.quarantine().expect("it rests on").note();
        assert_eq!(
            note,
            "a job failed by this worker's fault, and so did a proof encode: disk full"
        );
    }

    #[test]
    fn a_person_lifts_a_quarantine_and_nothing_else() {
        let mut health = Health::new(3, MINUTE);
        assert!(!health.lift());
        three_fail(&mut health);
        assert!(!health.lift() && health.is_in_doubt());
        rest(&mut health);
        rest(&mut health);
        assert!(health.lift() && health.quarantine().is_none());
        assert!(!health.lift());
        assert!(three_fail(&mut health), "the streak began anew");
        assert_eq!(rest(&mut health), MINUTE);
    }
}
