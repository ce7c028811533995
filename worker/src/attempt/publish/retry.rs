//! Waits for a store that is out of reach, so that a finished output is not thrown away.

use std::time::Duration;

use common::store::StoreError;
use tokio::time::Instant;

/// The first and the longest wait between two requests.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// The growing wait between two requests.
pub(super) struct BackOff(Duration);

impl BackOff {
    pub(super) fn new() -> Self {
        Self(PAUSE.0)
    }

    /// Waits; the next wait is twice as long, up to a limit.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = PAUSE.1.min(self.0 * 2);
    }
}

/// How long a store may refuse requests: a refusal may pass when credentials are renewed.
const REFUSED: Duration = Duration::from_secs(60);

/// Repeats a request until the store answers, however long it is out of reach. The caller keeps the job's lease
/// meanwhile, and drops this future to give up.
///
/// # Errors
/// Every error that does not pass by waiting.
pub(super) async fn retry_while_away<T, F>(request: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let began = Instant::now();
    let mut back_off = BackOff::new();
    loop {
        let error = match request().await {
            Err(error @ (StoreError::Remote { .. } | StoreError::Away { .. })) => error,
            Err(error @ StoreError::Refused { .. }) if began.elapsed() < REFUSED => error,
            answer => return answer,
        };
        tracing::warn!(%error, "a finished output waits for its store");
        back_off.wait().await;
    }
}
