//! Waiting for a store that is out of reach: a finished output is worth it.

use std::time::Duration;

use common::store::StoreError;
use tokio::time::Instant;

/// First and longest wait between two questions.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long a store may refuse, which passes where credentials are exchanged.
const REFUSED: Duration = Duration::from_secs(60);

/// Asks until the store answers, however long it is out of reach. Whoever has
/// the job meanwhile keeps its lease, and breaks this off where it must.
///
/// # Errors
/// What does not pass.
pub(super) async fn retry_while_away<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let began = Instant::now();
    let mut pause = PAUSE.0;
    loop {
        let error = match ask().await {
            Err(error @ (StoreError::Remote { .. } | StoreError::Away { .. })) => error,
            Err(error @ StoreError::Refused { .. }) if began.elapsed() < REFUSED => error,
            answer => return answer,
        };
        tracing::warn!(%error, "a finished output waits for its store");
        tokio::time::sleep(pause).await;
        pause = PAUSE.1.min(pause * 2);
    }
}
