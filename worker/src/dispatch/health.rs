//! How a worker fared with its last jobs: well, in doubt, or in quarantine.
//!
//! Several different jobs in a row that fail by the worker's fault put it in
//! doubt: an encode of its own decides whether the jobs or the machine are at
//! fault. Where that fails, too, the worker rests. A rest ends by another such
//! encode that passes, or by a person's word, and never by the clock alone:
//! after each rest it tries again, and each rest is twice as long as the one
//! before. Whoever comes out of quarantine begins anew: one more failure means
//! as little as the first ever did.

use std::time::Duration;

use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use jiff::Timestamp;
use tokio::time::Instant;

/// No rest is longer. A worker that was well for so long begins with the
/// shortest rest again.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Whether a worker is well.
pub struct Health {
    /// Different jobs in a row that put it in doubt; 0: never.
    limit: usize,
    /// How long the first rest is.
    shortest: Duration,
    /// Jobs that failed by its fault, one after the other, and what they were
    /// encoded with.
    streak: Vec<(JobId, Option<Encoder>)>,
    condition: Condition,
    /// Rests since it was last well.
    rests: u32,
    /// When it last came out of quarantine.
    released: Option<Timestamp>,
}

enum Condition {
    Well,
    InDoubt,
    Quarantined(Quarantine),
}

/// Why a worker rests, and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantine {
    /// Different jobs in a row that had failed.
    jobs: usize,
    /// What they were encoded with.
    suspects: Vec<Encoder>,
    /// What went wrong with its own encode the last time.
    why: String,
    /// When it tries again.
    ends: Instant,
    /// The same, by the broker's clock.
    until: Timestamp,
}

impl Quarantine {
    /// Why, for people.
    pub fn note(&self) -> String {
        let jobs = match self.jobs {
            1 => "a job".to_owned(),
            jobs => format!("{jobs} jobs in a row"),
        };
        format!(
            "{jobs} failed by this worker's fault, and so did an encode of its own: {}",
            self.why
        )
    }

    /// When it tries again, by the broker's clock; `None` once that time has come.
    pub fn next_try(&self) -> Option<Timestamp> {
        (!self.is_due()).then_some(self.until)
    }

    /// Whether it is to try again.
    pub fn is_due(&self) -> bool {
        Instant::now() >= self.ends
    }
}

impl Health {
    /// A worker that is well. `limit` different jobs in a row put it in doubt,
    /// never where that is 0; its first rest lasts `shortest`.
    pub fn new(limit: usize, shortest: Duration) -> Self {
        Self {
            limit,
            shortest,
            streak: Vec::new(),
            condition: Condition::Well,
            rests: 0,
            released: None,
        }
    }

    /// A job was completed. Where the worker is in doubt or rests, that says
    /// nothing of what failed.
    pub fn completed(&mut self) {
        if matches!(self.condition, Condition::Well) {
            self.streak.clear();
            self.rests = 0;
        }
    }

    /// A job failed by the worker's fault. Says whether that puts it in doubt.
    pub fn failed(&mut self, job: JobId, by: Option<Encoder>) -> bool {
        if !matches!(self.condition, Condition::Well) {
            return false;
        }
        if !self.streak.iter().any(|(failed, _)| *failed == job) {
            self.streak.push((job, by));
        }
        let is_in_doubt = self.limit > 0 && self.streak.len() >= self.limit;
        if is_in_doubt {
            self.condition = Condition::InDoubt;
        }
        is_in_doubt
    }

    /// Whether it is being found out if the jobs or the machine are at fault.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self.condition, Condition::InDoubt)
    }

    /// Its quarantine, while it is in one.
    pub fn quarantine(&self) -> Option<&Quarantine> {
        match &self.condition {
            Condition::Quarantined(quarantine) => Some(quarantine),
            _ => None,
        }
    }

    /// What the jobs were encoded with that failed by its fault.
    pub fn suspects(&self) -> Vec<Encoder> {
        if let Some(quarantine) = self.quarantine() {
            return quarantine.suspects.clone();
        }
        let encoders = self.streak.iter();
        let mut suspects: Vec<Encoder> = encoders.filter_map(|(_, by)| by.clone()).collect();
        suspects.sort();
        suspects.dedup();
        suspects
    }

    /// An encode of its own failed: it rests, or rests on. `now` is the broker's time.
    pub fn rest(&mut self, why: &str, now: Timestamp) {
        let (jobs, suspects) = match self.quarantine() {
            Some(quarantine) => (quarantine.jobs, quarantine.suspects.clone()),
            None => (self.streak.len(), self.suspects()),
        };
        let was_well_for = self
            .released
            .map(|at| now.duration_since(at).unsigned_abs());
        if self.quarantine().is_none() && was_well_for.is_some_and(|time| time >= LONGEST_REST) {
            self.rests = 0;
        }
        let doubled = self.shortest.saturating_mul(1 << self.rests.min(16));
        // A first rest that is longer by a person's wish is never cut.
        let rest = doubled.min(LONGEST_REST.max(self.shortest));
        self.rests += 1;
        self.streak.clear();
        self.condition = Condition::Quarantined(Quarantine {
            jobs,
            suspects,
            why: why.to_owned(),
            ends: Instant::now() + rest,
            until: now.checked_add(rest).unwrap_or(Timestamp::MAX),
        });
    }

    /// An encode of its own passed: out of quarantine, or the jobs are at fault.
    /// `now` is the broker's time.
    pub fn passed(&mut self, now: Timestamp) {
        match self.condition {
            Condition::Quarantined(_) => self.released = Some(now),
            _ => self.rests = 0,
        }
        self.streak.clear();
        self.condition = Condition::Well;
    }

    /// A person says that it is well. Tells whether it was in quarantine.
    pub fn lift(&mut self) -> bool {
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

    /// Three different jobs fail by its fault; says whether the last put it in doubt.
    fn three_fail(health: &mut Health) -> bool {
        assert!(!health.failed(job(1), None));
        assert!(!health.failed(job(2), None));
        health.failed(job(3), None)
    }

    /// How long it is to rest.
    fn rest(health: &mut Health) -> Duration {
        health.rest("no device", Timestamp::UNIX_EPOCH);
        let quarantine = health.quarantine().expect("it rests");
        let until = quarantine.next_try().expect("not yet");
        until
            .duration_since(Timestamp::UNIX_EPOCH)
            .try_into()
            .expect("positive")
    }

    #[test]
    fn different_jobs_in_a_row_put_a_worker_in_doubt() {
        let mut health = Health::new(3, MINUTE);
        for _ in 0..5 {
            assert!(!health.failed(job(1), None), "one job may be the culprit");
        }
        assert!(!health.failed(job(2), None));
        health.completed();
        assert!(three_fail(&mut health), "the streak began anew");
        assert!(health.is_in_doubt());
        assert!(!health.failed(job(4), None), "it is being found out");
        health.completed();
        assert!(health.is_in_doubt(), "its own encode decides");
        health.passed(Timestamp::UNIX_EPOCH);
        assert!(!health.is_in_doubt() && health.quarantine().is_none());
        let mut never = Health::new(0, MINUTE);
        assert!((0..9).all(|n| !never.failed(job(n), None)));
    }

    #[test]
    fn one_failure_after_a_quarantine_means_no_more_than_the_first_ever() {
        let mut health = Health::new(3, MINUTE);
        assert!(three_fail(&mut health));
        rest(&mut health);
        health.passed(Timestamp::UNIX_EPOCH);
        assert!(health.quarantine().is_none(), "ready at once");
        assert!(three_fail(&mut health), "three different jobs, and not one");
    }

    #[test]
    fn each_rest_is_longer_until_the_worker_is_well() {
        let mut health = Health::new(3, MINUTE);
        three_fail(&mut health);
        assert_eq!(rest(&mut health), MINUTE);
        assert_eq!(rest(&mut health), 2 * MINUTE, "a try has failed");
        health.passed(Timestamp::UNIX_EPOCH);
        three_fail(&mut health);
        assert_eq!(rest(&mut health), 4 * MINUTE, "it was not well for long");
        health.passed(Timestamp::UNIX_EPOCH);
        health.completed();
        three_fail(&mut health);
        assert_eq!(rest(&mut health), MINUTE, "it had a success");
        health.passed(Timestamp::UNIX_EPOCH);
        three_fail(&mut health);
        assert_eq!(rest(&mut health), 2 * MINUTE);
        let long_ago = Timestamp::UNIX_EPOCH - LONGEST_REST;
        health.passed(long_ago);
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
        assert!(health.failed(job(1), Some(x265.clone())));
        health.rest("no device", Timestamp::UNIX_EPOCH);
        assert!(!health.failed(job(2), None), "it rests already");
        health.completed();
        let quarantine = health.quarantine().expect("no job ends it");
        assert!(quarantine.is_due());
        assert_eq!(quarantine.next_try(), None, "it is trying");
        health.rest("disk full", Timestamp::UNIX_EPOCH);
        assert_eq!(health.suspects(), [x265]);
        let note = health.quarantine().expect("it rests on").note();
        assert_eq!(
            note,
            "a job failed by this worker's fault, and so did an encode of its own: disk full"
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
