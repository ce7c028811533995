//! Stops a worker in good order: jobs that can end in time are finished, the others are released at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Tells running jobs that the worker is about to stop.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<Option<Instant>>>);

impl Stop {
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Asks jobs that cannot end by `deadline` to be released now.
    pub fn at(&self, deadline: Instant) {
        self.0.send_replace(Some(deadline));
    }

    /// Returns as soon as a job that is expected to end at `expected` must be released.
    pub(crate) async fn too_late(&self, expected: &Expected) {
        let mut deadlines = self.0.subscribe();
        let deadline = match deadlines
            .wait_for(Option::is_some)
            .await
            .map(|deadline| *deadline)
        {
            Ok(Some(deadline)) => deadline,
            _ => return std::future::pending().await,
        };
        while Instant::now() < deadline && expected.get().is_some_and(|end| end < deadline) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// When the encode is expected to end; unset until that is known.
pub(crate) struct Expected {
    origin: Instant,
    millis: AtomicU64,
}

impl Expected {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            millis: AtomicU64::new(0),
        }
    }

    pub(crate) fn set(&self, end: Instant) {
        let millis = end.duration_since(self.origin).as_millis();
        self.millis.store(
            u64::try_from(millis).unwrap_or(u64::MAX).max(1),
            Ordering::Relaxed,
        );
    }

    fn get(&self) -> Option<Instant> {
        match self.millis.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(self.origin + Duration::from_millis(millis)),
        }
    }
}
