//! When a worker ends by itself: after a number of jobs, or once it has been idle for long.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::dispatch::core::event::Now;

/// How long a worker works; without limits, until it is stopped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The most jobs, and parts of split jobs, that it starts in all.
    pub total_jobs: Option<NonZeroU32>,
    /// It ends once it has run no job for this long, whatever the reason.
    pub idle: Option<Duration>,
}

/// What of its limits a worker has used.
#[derive(Clone, Debug)]
pub(super) struct Lifetime {
    limits: Limits,
    started: u32,
    /// Since when it has run no job.
    idle_since: Instant,
}

impl Lifetime {
    pub(super) fn new(limits: Limits, now: &Now) -> Self {
        Self {
            limits,
            started: 0,
            idle_since: now.at,
        }
    }

    /// A job was started.
    pub(super) fn started(&mut self) {
        self.started = self.started.saturating_add(1);
    }

    /// The last running job has left its slot.
    pub(super) fn idles(&mut self, now: &Now) {
        self.idle_since = now.at;
    }

    /// How many more jobs it may start; `None` if there is no limit.
    pub(super) fn left(&self) -> Option<usize> {
        let most = self.limits.total_jobs?;
        Some(most.get().saturating_sub(self.started) as usize)
    }

    /// When a worker without running jobs ends, if no job comes before.
    pub(super) fn idle_end(&self) -> Option<Instant> {
        Some(self.idle_since + self.limits.idle?)
    }

    /// Why a worker without running jobs ends now.
    pub(super) fn is_over(&self, now: &Now) -> Option<String> {
        if self.left() == Some(0) {
            return Some(format!("it has run its {} jobs", self.started));
        }
        let idle = self.limits.idle?;
        (now.at >= self.idle_since + idle).then(|| format!("it has run no job for {idle:?}"))
    }
}
