//! Jobs that the workers of a class leave lying, although they serve the queues: their places, sizes, depths or builds do
//! not fit. More of the same workers would take none of them either. So an autoscaler keeps and starts none for such
//! jobs, but one from time to time, to try.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::matching::scale::Scale;

/// For so long, in seconds, a worker must have been free to take a job until the job counts as left lying. A job that fits
/// is taken at once.
const PATIENCE: u64 = 30;
/// The most seconds between two looks that count.
const LONGEST_LOOK: i64 = 60;
/// The wait until the first try, which doubles with each further one, and the longest. In minutes.
const TRIES: [u32; 2] = [5, 60];

/// What is known of jobs that are left lying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = UntakenJobs))]
pub struct Untaken {
    /// How many of the waiting jobs: 0 if none is known.
    pub jobs: u64,
    /// How often in a row it has turned out that nobody takes them.
    pub times: u32,
    /// When a worker is next started to try.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub retry_at: Option<Timestamp>,
    /// Seconds for which workers have been free to take waiting jobs and have taken none.
    pub lying: u64,
    /// The last look at which that was so.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub seen: Option<Timestamp>,
}

impl Untaken {
    /// Learns from the numbers of a class at the last look, and now. Returns whether it has turned out just now that jobs
    /// are left lying.
    pub(super) fn learn(&mut self, before: Option<Scale>, scale: Scale, now: Timestamp) -> bool {
        let waiting = scale.waiting();
        let fewer = before.is_some_and(|before| waiting < before.waiting());
        let was_tried = self.retry_at.is_none_or(|at| at <= now);
        if waiting == 0 || (waiting < self.jobs && (was_tried || scale.running > 0)) {
            // They are taken after all.
            *self = Self::default();
            return false;
        }
        self.jobs = self.jobs.min(waiting);
        // Some were taken or cancelled, or all of this is known.
        if fewer || (waiting == self.jobs && !was_tried) {
            self.lying = 0;
            self.seen = None;
            return false;
        }
        let is_free = scale.covered > 0;
        if let Some(seen) = self.seen.filter(|_| is_free) {
            let passed = now.duration_since(seen).as_secs().clamp(0, LONGEST_LOOK);
            self.lying = self.lying.saturating_add(passed.unsigned_abs());
        }
        self.seen = is_free.then_some(now);
        if self.lying < PATIENCE {
            return false;
        }
        self.jobs = waiting;
        self.lying = 0;
        if was_tried {
            self.times = self.times.saturating_add(1);
            let [first, longest] = TRIES;
            let doubled = first.saturating_mul(2_u32.saturating_pow(self.times.min(16) - 1));
            let wait = SignedDuration::from_mins(doubled.min(longest).into());
            self.retry_at = Some(now.checked_add(wait).unwrap_or(Timestamp::MAX));
        }
        true
    }

    /// Waiting jobs for which no worker is needed now, where each runs so many.
    pub(super) fn doubted(&self, jobs_per_worker: u64, now: Timestamp) -> u64 {
        match self.retry_at {
            Some(at) if at > now => self.jobs,
            // One worker may try.
            _ => self.jobs.saturating_sub(jobs_per_worker),
        }
    }

    /// Whether nothing is known.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
