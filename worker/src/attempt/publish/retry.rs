//! Waits for a store that is out of reach, so that a finished output is not thrown away.

use std::time::Duration;

use common::store::StoreError;
use tokio::time::Instant;

/// The first and the longest wait between two requests.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
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
    let mut pause = PAUSE.0;
    loop {
        let error = match request().await {
            Err(error @ (StoreError::Remote { .. } | StoreError::Away { .. })) => error,
            Err(error @ StoreError::Refused { .. }) if began.elapsed() < REFUSED => error,
            answer => return answer,
        };
        tracing::warn!(%error, "a finished output waits for its store");
        tokio::time::sleep(pause).await;
        pause = PAUSE.1.min(pause * 2);
    }
}
