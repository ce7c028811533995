//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// How long anything may take that should take seconds. Tests share two cores with other tests.
pub const PATIENCE: Duration = Duration::from_secs(90);

const PAUSE: Duration = Duration::from_millis(25);

/// Waits until `condition` yields a value; panics with `what` after [`PATIENCE`].
pub async fn until<T>(what: &str, condition: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, condition).await
}

/// As [`until`], with a deadline of the caller's own.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(
            started.elapsed() < patience,
            "waited {patience:?} in vain for {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
